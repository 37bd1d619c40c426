/** A flood is read in turns; between them a supervisor does everything else. */
import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {statSync} from 'node:fs'
import {join} from 'node:path'
import {setImmediate as nextTurn, setTimeout as sleep} from 'node:timers/promises'
import {afterEach, beforeEach, expect, test} from 'vitest'
import type {ContainerStdio} from '../../../src/stdio/container-stdio.ts'
import {openContainerStdio} from '../../../src/stdio/fifo-stdio.ts'
import {makeTempDir} from '../../support/temp-dir.ts'

let closing: AsyncDisposableStack
beforeEach(() => {
  closing = new AsyncDisposableStack()
})
afterEach(async () => await closing.disposeAsync())

async function openFlood(script: string, isUrgent = () => false) {
  const dir = closing.use(makeTempDir())
  const logFile = join(dir.path, 'log')
  const stdio: ContainerStdio = closing.use(
    await openContainerStdio({fifoDir: join(dir.path, 'io'), logFile, now: Date.now, onOutput: () => {}, isUrgent}),
  )
  const child = spawn('sh', ['-c', script], {stdio: [...stdio.childFds], detached: true})
  stdio.releaseChildFds()
  closing.defer(async () => {
    // With all that it has started.
    process.kill(-Number(child.pid), 'SIGKILL')
  })
  return {stdio, child, logSize: () => statSync(logFile).size}
}

test('one of short lines writes no more than a little of log in each turn', async () => {
  const {logSize} = await openFlood('yes & wait')
  let [most, before] = [0, logSize()]
  for (const until = Date.now() + 2_000; Date.now() < until; await nextTurn()) {
    most = Math.max(most, logSize() - before)
    before = logSize()
  }
  expect(before).toBeGreaterThan(1_000_000)
  // A turn, the piece that ends it, and another that was woken in the same turn.
  expect(most).toBeLessThan(1_200_000)
})

// Compared within a second, in which a busy machine may do anything.
test('it is read less while something is urgent', {retry: 5}, async () => {
  const readInASecond = async (isUrgent: boolean) => {
    const {stdio} = await openFlood('yes "$(head -c 4000 /dev/zero | tr "\\\\0" x)" & wait', () => isUrgent)
    await sleep(1_000)
    return stdio.totals.stdout
  }
  const [urgent, usual] = [await readInASecond(true), await readInASecond(false)]
  expect(urgent).toBeGreaterThan(0)
  expect(urgent).toBeLessThan(usual / 2)
})

test('a drain reads what was written before it, and does not wait for a process that writes on', async () => {
  const {stdio, child} = await openFlood('yes & sleep 0.2; exit 3')
  expect(await once(child, 'exit')).toEqual([3, null])
  const {stdout} = await stdio.drain()
  expect(stdout).toBeGreaterThan(0)
})

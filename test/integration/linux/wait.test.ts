import {expect, test} from 'vitest'
import {readProcessStat} from '../../../src/linux/process-table.ts'
import {peekChild, reapChild} from '../../../src/linux/wait.ts'
import {spawnOrphan, spawnSleepingOrphan} from '../../support/orphan.ts'

async function untilEnded(pid: number): Promise<void> {
  await expect.poll(() => peekChild(pid).type, {interval: 5}).toBe('exited')
}

test('peeking at a child that runs says so, and reaping it takes nothing', () => {
  const pid = spawnSleepingOrphan()
  expect(peekChild(pid)).toEqual({type: 'running'})
  expect(reapChild(pid)).toEqual({type: 'running'})
  process.kill(pid, 'SIGKILL')
})

test('peeking does not reap: the status can be had again, and the child stays a zombie until it is reaped', async () => {
  const pid = spawnOrphan('exit 7')
  await untilEnded(pid)
  const exit = {type: 'code', code: 7}
  expect(peekChild(pid)).toMatchObject({type: 'exited', exit})
  expect(peekChild(pid)).toMatchObject({type: 'exited', exit})
  expect(readProcessStat(pid)).toMatchObject({state: 'Z', parentPid: process.pid})
  expect(reapChild(pid)).toMatchObject({type: 'exited', exit})
  expect(readProcessStat(pid)).toBeUndefined()
  expect(peekChild(pid)).toEqual({type: 'not-a-child'})
  expect(reapChild(pid)).toEqual({type: 'not-a-child'})
})

test.each([0, 1, 126, 137, 255])('an exit code of %i is that very code, whatever a shell would read into it', async (code) => {
  const pid = spawnOrphan(`exit ${code}`)
  await untilEnded(pid)
  expect(reapChild(pid)).toMatchObject({type: 'exited', exit: {type: 'code', code}})
})

test.each([
  ['TERM', 15],
  ['KILL', 9],
  ['RTMIN+3', 37],
])('a child that dies of SIG%s has ended by a signal, not with a code', async (_name, signalNumber) => {
  const pid = spawnOrphan(`kill -${signalNumber} $$`)
  await untilEnded(pid)
  expect(reapChild(pid)).toMatchObject({type: 'exited', exit: {type: 'signal', signalNumber, coreDumped: false}})
})

test('what is not a child of this process is not reaped: init, the parent, this process and a pid beyond all pids', () => {
  for (const pid of [1, process.ppid, process.pid, 2 ** 22 + 1]) expect(peekChild(pid)).toEqual({type: 'not-a-child'})
})

test('the usage of a child that computes has its processor time, and of one that holds memory its resident set', async () => {
  const busy = spawnOrphan('i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done')
  const large = spawnOrphan('exec dd if=/dev/zero of=/dev/null bs=50M count=1')
  await untilEnded(busy)
  await untilEnded(large)
  const [computed, held] = [reapChild(busy), reapChild(large)]
  if (computed.type !== 'exited' || held.type !== 'exited') throw new Error('both have ended')
  expect(computed.usage.userMs).toBeGreaterThan(20)
  expect(computed.usage.userMs).toBeLessThan(30_000)
  expect(computed.usage.maxRssBytes).toBeLessThan(20 * 1024 * 1024)
  expect(held.usage.maxRssBytes).toBeGreaterThan(50 * 1024 * 1024)
  expect(held.usage.maxRssBytes).toBeLessThan(100 * 1024 * 1024)
  expect(held.usage.systemMs).toBeGreaterThan(0)
})

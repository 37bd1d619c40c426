import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {copyFileSync, realpathSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {Worker} from 'node:worker_threads'
import {expect, onTestFinished, test} from 'vitest'
import {
  isAlive,
  isSameProcess,
  listChildren,
  listProcesses,
  type ProcessIdentity,
  readProcessIdentity,
  readProcessStat,
} from '../../../src/linux/process-table.ts'
import {reapChild} from '../../../src/linux/wait.ts'
import {spawnOrphan, spawnSleepingOrphan} from '../../support/orphan.ts'
import {makeTempDir} from '../../support/temp-dir.ts'

const unusedPid = 2 ** 22 - 1

function identify(pid: number): ProcessIdentity {
  const identity = readProcessIdentity(pid)
  if (!identity) throw new Error(`no process ${pid}`)
  return identity
}

async function endAndLeaveZombie(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL')
  await expect.poll(() => readProcessStat(pid)?.state, {interval: 5}).toBe('Z')
}

test('this process runs, and its parent is the one that Node names', () => {
  expect(readProcessStat(process.pid)).toMatchObject({state: 'R', parentPid: process.ppid})
  expect(listProcesses()).toContain(process.pid)
})

test('there is nothing to read of a process that does not exist', () => {
  expect(readProcessStat(unusedPid)).toBeUndefined()
  expect(readProcessIdentity(unusedPid)).toBeUndefined()
})

test('a command name with parentheses and spaces does not shift the fields', async () => {
  await using dir = makeTempDir()
  const program = join(dir.path, 'a) Z 1 (b')
  copyFileSync(realpathSync('/bin/sleep'), program)
  const child = spawn(program, ['1000'], {stdio: 'ignore'})
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child, 'spawn')
  expect(readProcessStat(child.pid ?? 0)).toMatchObject({parentPid: process.pid, state: expect.stringMatching(/^[RSD]$/)})
  expect(readProcessStat(child.pid ?? 0)?.startTimeTicks).toBeGreaterThanOrEqual(identify(process.pid).startTimeTicks)
})

test('a zombie is the same process still, and is not alive', async () => {
  const pid = spawnSleepingOrphan()
  const identity = identify(pid)
  expect([isSameProcess(identity), isAlive(identity)]).toEqual([true, true])
  await endAndLeaveZombie(pid)
  expect([isSameProcess(identity), isAlive(identity)]).toEqual([true, false])
  reapChild(pid)
  expect([isSameProcess(identity), isAlive(identity)]).toEqual([false, false])
})

test('a process with a pid that was used before is not the one that had it', async () => {
  const pid = spawnSleepingOrphan()
  const former = identify(pid)
  await endAndLeaveZombie(pid)
  reapChild(pid)
  // Within the same clock tick (10 ms) they cannot be distinguished.
  await sleep(30)
  await spawnWithPid(pid)
  expect(isSameProcess(former)).toBe(false)
  expect(isAlive(former)).toBe(false)
  expect(isAlive(identify(pid))).toBe(true)
  process.kill(pid, 'SIGKILL')
})

test('the same pid and start time in another boot of the host is another process', () => {
  const identity = identify(process.pid)
  expect(isSameProcess(identity)).toBe(true)
  expect(isSameProcess({...identity, bootId: '00000000-0000-0000-0000-000000000000'})).toBe(false)
})

test('children are listed as zombies too, and no longer once they are reaped', async () => {
  const [sleeping, ended] = [spawnSleepingOrphan(), spawnOrphan('exit 0')]
  await expect.poll(() => readProcessStat(ended)?.state, {interval: 5}).toBe('Z')
  expect(listChildren()).toEqual(expect.arrayContaining([sleeping, ended]))
  reapChild(ended)
  expect(listChildren()).not.toContain(ended)
  process.kill(sleeping, 'SIGKILL')
})

test('children of other threads of this process are listed as well', async () => {
  const source = `const {parentPort} = require('node:worker_threads')
    const child = require('node:child_process').spawn('sleep', ['1000'], {stdio: 'ignore'})
    parentPort.once('message', () => child.kill('SIGKILL'))
    parentPort.postMessage(child.pid)`
  const worker = new Worker(source, {eval: true})
  const [pid] = await once(worker, 'message')
  expect(listChildren()).toContain(pid)
  worker.postMessage('end')
  await once(worker, 'exit')
})

/** The kernel gives the next free pid after this one (proc(5), ns_last_pid); others may be faster. */
async function spawnWithPid(wanted: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    writeFileSync('/proc/sys/kernel/ns_last_pid', String(wanted - 1))
    const child = spawn('sleep', ['1000'], {stdio: 'ignore'})
    if (child.pid === wanted) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  throw new Error(`expected to get pid ${wanted} again within 200 tries`)
}

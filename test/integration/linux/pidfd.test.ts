import {closeSync, readFileSync} from 'node:fs'
import {release} from 'node:os'
import {expect, onTestFinished, test} from 'vitest'
import {hasPidfdEnded, openPidfd, readPidfdExit, sendPidfdSignal} from '../../../src/linux/pidfd.ts'
import {peekChild, reapChild} from '../../../src/linux/wait.ts'
import {spawnOrphan, spawnSleepingOrphan} from '../../support/orphan.ts'

const [major = 0, minor = 0] = release().split('.').map(Number)
const keepsExits = major > 6 || (major === 6 && minor >= 15)

function open(pid: number): number {
  const fd = openPidfd(pid)
  if (fd === undefined) throw new Error(`no process ${pid}`)
  onTestFinished(() => closeSync(fd))
  return fd
}

async function untilEnded(pid: number): Promise<void> {
  await expect.poll(() => peekChild(pid).type, {interval: 5}).toBe('exited')
}

test('there is no descriptor of a process that does not exist', () => {
  expect(openPidfd(2 ** 22 - 1)).toBeUndefined()
  expect(() => openPidfd(-1)).toThrowError('pidfd_open: EINVAL')
})

test('the descriptor is not inherited by what is executed', () => {
  const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${open(process.pid)}`, 'utf8'))?.[1] ?? ''
  expect(Number.parseInt(flags, 8) & 0o2000000).not.toBe(0)
})

test('a process has ended as a zombie already, and after it was reaped', async () => {
  const pid = spawnSleepingOrphan()
  const fd = open(pid)
  expect(hasPidfdEnded(fd)).toBe(false)
  process.kill(pid, 'SIGKILL')
  await untilEnded(pid)
  expect(hasPidfdEnded(fd)).toBe(true)
  reapChild(pid)
  expect(hasPidfdEnded(fd)).toBe(true)
})

test.each([
  ['exit 7', {type: 'code', code: 7}],
  ['kill -TERM $$', {type: 'signal', signalNumber: 15, coreDumped: false}],
])('how `%s` ended can be read after another process reaped it (Linux ≥ 6.15; older kernels give undefined)', async (script, exit) => {
  const pid = spawnOrphan(`sleep 0.1; ${script}`)
  const fd = open(pid)
  expect(readPidfdExit(fd)).toBeUndefined()
  await untilEnded(pid)
  expect(readPidfdExit(fd)).toBeUndefined()
  reapChild(pid)
  expect(readPidfdExit(fd)).toEqual(keepsExits ? exit : undefined)
})

test('a signal by descriptor arrives, has no effect on a zombie, and fails after the reaping', async () => {
  const pid = spawnSleepingOrphan()
  const fd = open(pid)
  expect(sendPidfdSignal(fd, 15)).toBe(true)
  await untilEnded(pid)
  expect(sendPidfdSignal(fd, 9)).toBe(true)
  expect(reapChild(pid)).toMatchObject({exit: {type: 'signal', signalNumber: 15}})
  expect(sendPidfdSignal(fd, 15)).toBe(false)
})

test('a signal number that does not exist is an error', () => {
  const pid = spawnSleepingOrphan()
  expect(() => sendPidfdSignal(open(pid), 1_000)).toThrowError('pidfd_send_signal: EINVAL')
  process.kill(pid, 'SIGKILL')
})

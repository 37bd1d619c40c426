import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {afterEach, beforeEach, expect, test} from 'vitest'
import {type ChildReaper, createChildReaper} from '../../../src/linux/child-reaper.ts'
import {isSameProcess, readProcessIdentity, readProcessStat} from '../../../src/linux/process-table.ts'
import {type ChildExit, peekChild} from '../../../src/linux/wait.ts'
import {expectNothingLeft} from '../../support/leaks.ts'
import {spawnOrphan, spawnSleepingOrphan} from '../../support/orphan.ts'

let reaper: ChildReaper
let orphans: Map<number, ChildExit>

beforeEach(() => {
  orphans = new Map()
  reaper = createChildReaper({onOrphan: (pid, exit) => orphans.set(pid, exit)})
})

afterEach(async () => {
  await expectNothingLeft({})
  reaper[Symbol.dispose]()
})

const soon = {interval: 5, timeout: 60_000}

test('an orphan of a double fork falls to us, is reported and is reaped', async () => {
  const pid = spawnOrphan('sleep 0.1; exit 9')
  expect(readProcessStat(pid)?.parentPid).toBe(process.pid)
  await expect.poll(() => orphans.get(pid), soon).toEqual({type: 'code', code: 9})
  expect(peekChild(pid)).toEqual({type: 'not-a-child'})
})

test('a grandchild of an orphan falls to us too, when the orphan dies', async () => {
  const pid = spawnOrphan('sh -c "sleep 0.1; exit 3" & exit 0')
  await expect
    .poll(() => [...orphans.values()], soon)
    .toEqual([
      {type: 'code', code: 0},
      {type: 'code', code: 3},
    ])
  expect(orphans.has(pid)).toBe(true)
})

test('a watched child is reported once, and stays a zombie until it is reaped', async () => {
  const pid = spawnSleepingOrphan()
  const reports: ChildExit[] = []
  reaper.watch(pid, (exit) => reports.push(exit))
  process.kill(pid, 'SIGTERM')
  const exit = {type: 'signal', signalNumber: 15, coreDumped: false}
  await expect.poll(() => reports, soon).toEqual([exit])

  // Others that end make it look again.
  const other = spawnOrphan('exit 0')
  await expect.poll(() => orphans.has(other), soon).toBe(true)
  expect(reports).toEqual([exit])
  expect(readProcessStat(pid)?.state).toBe('Z')

  reaper.reap(pid)
  expect(peekChild(pid)).toEqual({type: 'not-a-child'})
  reaper.reap(pid)
  expect(orphans.has(pid)).toBe(false)
})

test('a child that has ended before it is watched is reported before watch returns', async () => {
  const hold = reaper.holdOrphans()
  const pid = spawnOrphan('exit 4')
  await expect.poll(() => peekChild(pid).type, soon).toBe('exited')
  const reports: ChildExit[] = []
  reaper.watch(pid, (exit) => reports.push(exit))
  expect(reports).toEqual([{type: 'code', code: 4}])
  reaper.reap(pid)
  hold[Symbol.dispose]()
})

test('watching what is no child is an error, since its exit would never be seen', () => {
  expect(() => reaper.watch(1, () => {})).toThrowError(expect.objectContaining({code: 'ECHILD', syscall: 'waitid'}))
})

test('while orphans are held back none is reported; afterwards they are', async () => {
  const outer = reaper.holdOrphans()
  const inner = reaper.holdOrphans()
  const pid = spawnOrphan('exit 2')
  await expect.poll(() => readProcessStat(pid)?.state, soon).toBe('Z')
  inner[Symbol.dispose]()
  expect(peekChild(pid).type).toBe('exited')
  outer[Symbol.dispose]()
  expect(orphans.get(pid)).toEqual({type: 'code', code: 2})
})

test('a pid that was one of Node’s and is an orphan’s now is reaped once Node has let go of it', async () => {
  const pid = spawnSleepingOrphan()
  reaper.spawned(pid)
  process.kill(pid, 'SIGKILL')
  await expect.poll(() => readProcessStat(pid)?.state, soon).toBe('Z')
  expect(orphans.has(pid)).toBe(false)
  reaper.forget(pid)
  expect(orphans.get(pid)).toEqual({type: 'signal', signalNumber: 9, coreDumped: false})
})

test('Node’s own children are never stolen: 100 at once, between as many orphans, all give their own exit code', async () => {
  const pids: number[] = []
  const codes = Array.from({length: 100}, async (_, index) => {
    const child = spawn('sh', ['-c', `exit ${index}`], {stdio: 'ignore'})
    if (child.pid === undefined) throw new Error('not spawned')
    const {pid} = child
    reaper.spawned(pid)
    child.once('exit', () => reaper.forget(pid))
    const ended = once(child, 'exit')
    pids.push(spawnOrphan(`exit ${index}`))
    const [code] = await ended
    return Number(code)
  })
  expect(await Promise.all(codes)).toEqual(Array.from({length: 100}, (_, index) => index))
  await expect.poll(() => pids.map((pid) => orphans.get(pid)), soon).toEqual(pids.map((_, index) => ({type: 'code', code: index})))
})

test('once disposed of it reaps no process', async () => {
  const listeners = process.listenerCount('SIGCHLD')
  reaper[Symbol.dispose]()
  expect(process.listenerCount('SIGCHLD')).toBe(listeners - 1)
  const pid = spawnSleepingOrphan()
  const identity = readProcessIdentity(pid)
  if (!identity) throw new Error('it sleeps')
  process.kill(pid, 'SIGKILL')
  await expect.poll(() => readProcessStat(pid)?.state, soon).toBe('Z')
  expect(isSameProcess(identity)).toBe(true)
  reaper = createChildReaper()
  using _hold = reaper.holdOrphans()
})

import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {expect, it} from 'vitest'
import {createOrphanReaper} from '../../../../src/coordinator/supervision/orphan-reaper.ts'
import {silentLogger} from '../../../../src/kernel/log.ts'
import {readProcessStat} from '../../../../src/linux/process-table.ts'
import {createFakeClock} from '../../../support/fake-clock.ts'

function openReaper() {
  const clock = createFakeClock(0)
  const journal = new Map<number, 'awaited' | 'recorded'>()
  const noted: unknown[] = []
  const reaper = createOrphanReaper({
    descriptors: {findExit: ({pid}) => journal.get(pid) ?? 'unknown', note: (exit) => void noted.push(exit)},
    clock,
    logger: silentLogger,
  })
  const keep = (pid: number) => {
    const state = {isReleased: false}
    void reaper.keep({pid, startTicks: 5, status: {type: 'code', code: 7}}).then(() => {
      state.isReleased = true
    })
    return state
  }
  return {clock, journal, noted, reaper, keep}
}

const settle = () => new Promise((resolve) => setImmediate(resolve))

it('an orphan of another process is kept until its exit is journaled, and its status is known meanwhile', async () => {
  const {journal, noted, reaper, keep} = openReaper()
  journal.set(1 << 30, 'awaited')
  const orphan = keep(1 << 30)
  expect(noted).toEqual([{pid: 1 << 30, startTimeTicks: 5, exit: {type: 'code', code: 7}, source: 'coordinator'}])
  expect(reaper.reap()).toBe('awaits-journal')
  await settle()
  expect(orphan.isReleased).toBe(false)
  journal.set(1 << 30, 'recorded')
  expect(reaper.reap()).toBe('idle')
  await settle()
  expect(orphan.isReleased).toBe(true)
})

it('one that is in no journal is kept for a while', async () => {
  const {clock, reaper, keep} = openReaper()
  const orphan = keep(1 << 30)
  reaper.reap()
  clock.advance(29_000)
  reaper.reap()
  await settle()
  expect(orphan.isReleased).toBe(false)
  clock.advance(2_000)
  reaper.reap()
  await settle()
  expect(orphan.isReleased).toBe(true)
})

it('a child that Node.js has spawned is left to it, whatever its name is', async () => {
  const {reaper} = openReaper()
  const child = spawn('sh', ['-c', 'printf tally-shim > /proc/self/comm; exec 3<&-; exit 7'])
  const {pid = 0} = child
  const ended = once(child, 'exit')
  // Before Node.js has a turn in which it would reap it.
  while (readProcessStat(pid)?.isZombie === false) reaper.reap()
  reaper.reap()
  expect(await ended).toEqual([7, null])
})

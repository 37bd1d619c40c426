/** Supervisors that are killed, sleep, are woken, and shims that are replaced, at random, while processes write and end. */
import {once} from 'node:events'
import {connect} from 'node:net'
import {setTimeout as sleep} from 'node:timers/promises'
import {expect, test} from 'vitest'
import {orphanModes} from '../../../src/shim/client/frames.ts'
import {openShimHarness, shimProgram, type TestSupervisor} from '../../support/shim-harness.ts'
import {openStdio} from '../../support/shim-stdio.ts'

const soon = {interval: 5, timeout: 20_000}

/** A sequence that is the same each time (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

test.each([1, 2, 3])(
  'no exit and no byte is lost, or there twice, by whatever happens to supervisors and images (seed %i)',
  async (seed) => {
    const random = createRandom(seed)
    await using harness = await openShimHarness({args: ['--restarts', '16/10000', '--delay', '1']})
    let supervisor = await harness.next()
    const count = 24
    const lines = 3_000
    const processes = new Map<number, {readonly stdio: number; readonly code: number; readonly text: () => string}>()
    const first = supervisor
    await first.shim.call('orphans', {mode: orphanModes.hold})
    for (let stdio = 0; stdio < count; stdio += 1) {
      const io = await openStdio(harness, first, {stdio, maxBytes: 60_000, maxFiles: 1_000})
      const pid = await io.orphan(
        `i=0; while [ $i -lt ${lines} ]; do echo "${stdio} $i"; i=$((i+1)); [ $((i % 300)) != 0 ] || sleep 0.${Math.floor(random() * 9)}; done; exit ${stdio + 1}`,
      )
      await first.shim.call('watch', {pid, isStranger: false})
      processes.set(pid, {stdio, code: stdio + 1, text: io.text})
    }
    await first.shim.call('orphans', {mode: orphanModes.reap})

    const reaped = new Map<number, number[]>()
    const happened = {killed: 0, slept: 0, stayed: 0, upgraded: 0}
    for (let round = 0; round < 400 && reaped.size < count; round += 1) {
      await reapWhatHasEnded(supervisor, reaped)
      const dice = random()
      if (dice < 0.35) {
        // Also in the middle of something.
        if (dice < 0.1) for (const {pid} of supervisor.exits) supervisor.shim.call('reap', {pid}).catch(() => {})
        supervisor.kill()
        happened.killed += 1
        supervisor = await nextAfter()
      } else if (dice < 0.6) {
        using control = await harness.control()
        const left = await supervisor.shim.leave('sleep').then(
          () => true,
          () => false,
        )
        happened[left ? 'slept' : 'stayed'] += 1
        if (left) {
          const waking = dice < 0.5 ? control.wake() : sleep(random() * 5).then(() => control.wake())
          if (dice < 0.55) supervisor.exit()
          else supervisor.kill()
          await waking
          supervisor = await nextAfter()
        }
      } else if (dice < 0.8) {
        await supervisor.shim.call('upgrade', {image: shimProgram})
        happened.upgraded += 1
      } else await sleep(random() * 20)
    }
    for (const giveUpAt = Date.now() + 30_000; reaped.size < count && Date.now() < giveUpAt; await sleep(5))
      await reapWhatHasEnded(supervisor, reaped)

    for (const [pid, {stdio, code, text}] of processes) {
      expect(reaped.get(pid), `exit of ${stdio}`).toEqual([code])
      await supervisor.shim.call('drain', {stdio})
      expect(text() === Array.from({length: lines}, (_, index) => `${stdio} ${index}\n`).join(''), `output of ${stdio}`).toBe(true)
    }
    const {killed, slept, upgraded} = happened
    expect(Math.min(killed, slept, upgraded)).toBeGreaterThan(3)

    /** Killed too often, it is started by force: that is the coordinator's part. */
    async function nextAfter(): Promise<TestSupervisor> {
      using control = await harness.control()
      const next = harness.next()
      for (;;) {
        const found = await Promise.race([next, sleep(20).then(() => undefined)])
        if (found) return found
        if ((await control.status()).phase === 'gave-up') await control.wake({force: true})
      }
    }
  },
)

async function reapWhatHasEnded({shim, exits}: TestSupervisor, reaped: Map<number, number[]>): Promise<void> {
  for (const {pid, status} of exits.splice(0)) {
    const isNew = await shim.call('reap', {pid}).then(
      () => true,
      () => false,
    )
    if (isNew) reaped.set(pid, [...(reaped.get(pid) ?? []), status?.type === 'code' ? status.code : -1])
  }
}

test('a wake at the end is accepted and starts another, or is not accepted and there is no shim any more', {timeout: 120_000}, async () => {
  const seen = {accepted: 0, late: 0}
  for (let round = 0; round < 100; round += 1) {
    await using harness = await openShimHarness()
    const supervisor = await harness.next()
    const control = await harness.control()
    await supervisor.shim.leave('end')
    supervisor.exit()
    if (round % 4 > 0) await sleep(round % 4)
    const isAccepted = await control.wake().then(
      () => true,
      () => false,
    )
    control[Symbol.dispose]()
    seen[isAccepted ? 'accepted' : 'late'] += 1
    if (isAccepted) {
      const next = await harness.next()
      expect(next.shim.held.reasons).toBe(8)
      await next.shim.leave('end')
      next.exit()
    }
    expect(await harness.ended).toBe(0)
    const gone = connect(harness.socketPath)
    const [error] = await once(gone, 'error').catch((reason: unknown) => [reason])
    expect(error).toMatchObject({code: 'ENOENT'})
  }
  expect(seen.accepted + seen.late).toBe(100)
  await expect.poll(() => seen.accepted, soon).toBeGreaterThan(0)
})

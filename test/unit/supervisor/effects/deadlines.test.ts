import {expect, it} from 'vitest'
import {decide} from '../../../../machines/commands/decide.ts'
import type {Draft} from '../../../../machines/ledger/draft.ts'
import type {Timer} from '../../../../machines/charts/effects.ts'
import {planRestart} from '../../../../machines/charts/restart.ts'
import {planRecovery} from '../../../../src/supervisor/recovery/recovery.ts'
import {createTimerEffects} from '../../../../src/supervisor/effects/timer-effects.ts'
import {makeCall} from './effect-fixture.ts'
import {createFakeClock} from '../../../support/fake-clock.ts'
import {epoch, given, happen} from '../../../support/given.ts'

const running: readonly Draft[] = [happen.restartingRequested, happen.created, happen.startRequested, happen.started]
const ledgerOf = (...drafts: readonly Draft[]) => given(...drafts).ledger
const found = {initAlive: true, isExecuted: true, isRebooted: false, runtimeStatus: 'running', findExec: () => undefined}

it('a stop has its deadline on both clocks', () => {
  expect(decide(ledgerOf(...running), {type: 'stop', signal: 'SIGTERM', graceMs: 6_000}, epoch, {bootId: 'b', ms: 100})).toEqual({
    type: 'accept',
    draft: {
      type: 'container.stop-requested',
      data: {signal: 'SIGTERM', dueAt: new Date(epoch + 6_000).toISOString(), bootDue: {bootId: 'b', ms: 6_100}},
    },
  })
})

it('a restart that is due after a boot is not waited for longer than was meant, though the wall clock was set back', () => {
  const waiting = ledgerOf(...running, happen.exited, happen.restartScheduled)
  const now = new Date(epoch - 7_200_000).toISOString()
  const delayMs = Date.parse(happen.restartScheduled.data.dueAt) - Date.parse(waiting.since ?? '')
  expect(planRecovery(waiting, {...found, now}).effects).toEqual([
    {type: 'timer.arm', timer: 'restart', dueAt: new Date(Date.parse(now) + delayMs).toISOString()},
  ])
})

it('a window is one of the boot clock', () => {
  const {context} = ledgerOf(...running, {...happen.exited, data: {...happen.exited.data, boot: {bootId: 'b', ms: 20_000}}}).snapshot
  const afterMs = (ms: number) => planRestart({...context, attempt: 3, startedBoot: {bootId: 'b', ms: 20_000 - ms}})
  expect(afterMs(9_999)).toMatchObject({attempt: 4})
  expect(afterMs(10_000)).toMatchObject({attempt: 1})
})

it('a timer goes by the boot clock of this boot, and by the wall clock after another', async () => {
  const armed: number[] = []
  const deadlines = new Map<Timer, number>()
  const at = (elapsedMs: number) => {
    armed.push(elapsedMs)
    return {[Symbol.dispose]: () => {}}
  }
  const {'timer.arm': arm} = createTimerEffects({
    clock: {...createFakeClock(epoch), now: () => epoch, elapsed: () => 1_000, at},
    bootNow: () => ({bootId: 'b', ms: 1_000}),
    random: () => 0,
    deadlines,
  })
  const call = makeCall(ledgerOf(...running))
  const dueAt = new Date(epoch + 50_000).toISOString()
  await arm({type: 'timer.arm', timer: 'stop', dueAt, bootDue: {bootId: 'b', ms: 4_000}}, call)
  await arm({type: 'timer.arm', timer: 'stop', dueAt, bootDue: {bootId: 'another', ms: 4_000}}, call)
  await arm({type: 'timer.arm', timer: 'stop', dueAt}, call)
  expect(armed).toEqual([4_000, 51_000, 51_000])
})

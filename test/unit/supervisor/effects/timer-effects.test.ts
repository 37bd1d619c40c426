import {describe, expect, it} from 'vitest'
import type {Timer} from '../../../../machines/charts/effects.ts'
import {createTimerEffects} from '../../../../src/supervisor/effects/timer-effects.ts'
import {createFakeClock} from '../../../support/fake-clock.ts'
import {epoch, given} from '../../../support/given.ts'
import {histories} from '../../support/histories.ts'
import {makeCall} from './effect-fixture.ts'

function open(random = 0) {
  const clock = createFakeClock(epoch)
  const deadlines = new Map<Timer, number>()
  const effects = createTimerEffects({clock, bootNow: () => ({bootId: 'b', ms: clock.elapsed() - epoch}), random: () => random, deadlines})
  const call = makeCall(given(...histories.running).ledger)
  const arm = (timer: 'stop' | 'restart', afterMs: number) =>
    effects['timer.arm']({type: 'timer.arm', timer, dueAt: new Date(clock.now() + afterMs).toISOString()}, call)
  return {clock, effects, call, arm, deadlines}
}

describe('a timer', () => {
  it('reports once, when it is due, in the name of the event that armed it', async () => {
    const {clock, call, arm} = open()
    await arm('stop', 10_000)
    clock.advance(9_999)
    expect(call.observed).toEqual([])
    clock.advance(60_000)
    expect(call.observed).toEqual([{type: 'container.stop-timed-out', data: {}}])
  })

  it('takes another deadline in place of the one before; the two do not disturb each other', async () => {
    const {clock, call, arm} = open()
    await arm('stop', 10_000)
    await arm('restart', 7_000)
    await arm('stop', 5_000)
    clock.advance(60_000)
    expect(call.observed.map(({type}) => type)).toEqual(['container.stop-timed-out', 'container.restart-due'])
  })

  it('that is cancelled reports nothing, and cancelling it again does no harm', async () => {
    const {clock, effects, call, arm} = open()
    await arm('stop', 10_000)
    for (let count = 0; count < 2; count += 1) await effects['timer.cancel']({type: 'timer.cancel', timer: 'stop'}, call)
    expect(clock.armed).toBe(0)
    clock.advance(60_000)
    expect(call.observed).toEqual([])
  })

  it('has its deadline known for as long as it is armed, so that somebody else may wake this supervisor', async () => {
    const {clock, effects, call, arm, deadlines} = open()
    await arm('stop', 10_000)
    await arm('restart', 7_000)
    expect([...deadlines]).toEqual([
      ['stop', epoch + 10_000],
      ['restart', epoch + 7_000],
    ])
    await effects['timer.cancel']({type: 'timer.cancel', timer: 'stop'}, call)
    expect([...deadlines.keys()]).toEqual(['restart'])
    clock.advance(7_000)
    expect(deadlines.size).toBe(0)
  })

  it('whose deadline has passed reports at once', async () => {
    const {clock, call, arm} = open()
    await arm('restart', -5_000)
    clock.advance(0)
    expect(call.observed).toEqual([{type: 'container.restart-due', data: {}}])
  })
})

describe('a restart', () => {
  it.each([
    [0, 500],
    [0.5, 750],
    [0.999, 1_000],
  ])('is due within the last half of the delay: %d of it after %d ms, on both clocks', async (random, afterMs) => {
    const {effects, call} = open(random)
    expect(await effects['restart.schedule']({type: 'restart.schedule', attempt: 2, delayMs: 1_000}, call)).toEqual({
      type: 'container.restart-scheduled',
      data: {attempt: 2, dueAt: new Date(epoch + afterMs).toISOString(), bootDue: {bootId: 'b', ms: afterMs}},
    })
  })

  it('is given up with the number of attempts', async () => {
    const {effects, call} = open()
    expect(await effects['restart.give-up']({type: 'restart.give-up', attempts: 3}, call)).toEqual({
      type: 'container.restart-gave-up',
      data: {attempts: 3},
    })
  })
})

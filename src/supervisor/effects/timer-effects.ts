/** The effects that are about time: the deadline of a stop, and the restart of a container that comes back. */
import {type BootInstant, spanMs} from '../../../machines/ledger/boot-instant.ts'
import type {Timer} from '../../../machines/charts/effects.ts'
import type {EffectDependencies} from './effect-dependencies.ts'
import type {Family} from './handlers.ts'

const timeouts = {stop: 'container.stop-timed-out', restart: 'container.restart-due'} as const satisfies Record<Timer, string>

export function createTimerEffects({
  clock,
  bootNow,
  random,
  deadlines,
}: Pick<EffectDependencies, 'clock' | 'bootNow' | 'random' | 'deadlines'>): Family<
  'timer.arm' | 'timer.cancel' | 'restart.schedule' | 'restart.give-up'
> {
  const timers = new Map<Timer, Disposable>()

  return {
    'timer.arm': async ({timer, dueAt, bootDue}, {observe}) => {
      cancel(timer)
      const atMs = clock.elapsed() + toWaitMs(dueAt, bootDue)
      deadlines.set(timer, atMs)
      timers.set(
        timer,
        clock.at(atMs, () => {
          deadlines.delete(timer)
          void observe({type: timeouts[timer], data: {}})
        }),
      )
      return undefined
    },

    'timer.cancel': async ({timer}) => {
      cancel(timer)
      return undefined
    },

    'restart.schedule': async ({attempt, delayMs}) => {
      // Containers that fell together do not come back together.
      const waitMs = Math.round((delayMs * (1 + random())) / 2)
      const boot = bootNow()
      return {
        type: 'container.restart-scheduled',
        data: {attempt, dueAt: new Date(clock.now() + waitMs).toISOString(), bootDue: {...boot, ms: boot.ms + waitMs}},
      }
    },

    'restart.give-up': async ({attempts}) => ({type: 'container.restart-gave-up', data: {attempts}}),
  }

  function toWaitMs(dueAt: string, bootDue: BootInstant | undefined): number {
    return spanMs({time: new Date(clock.now()).toISOString(), boot: bootNow()}, {time: dueAt, boot: bootDue})
  }

  function cancel(timer: Timer): void {
    timers.get(timer)?.[Symbol.dispose]()
    timers.delete(timer)
    deadlines.delete(timer)
  }
}

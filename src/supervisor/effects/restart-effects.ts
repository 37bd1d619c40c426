/** What the chart asks for about a container that comes back: when, and that it is to be started. */
import {type BootInstant, spanMs} from '../../../machines/ledger/boot-instant.ts'
import type {Clock} from '../../kernel/clock.ts'
import {type Loop, toOrigin} from '../loop/loop.ts'
import type {Handlers} from './effect-table.ts'

export type RestartHandlers = Pick<Handlers, 'restart.schedule' | 'restart.give-up' | 'request.start' | 'timer.arm' | 'timer.cancel'>

export interface RestartDependencies {
  readonly clock: Clock
  readonly bootNow: () => BootInstant
  /** From 0, below 1. */
  readonly random: () => number
  readonly loop: () => Loop
}

const timeouts = {stop: 'container.stop-timed-out', restart: 'container.restart-due'} as const

export function createRestartEffects({clock, bootNow, random, loop}: RestartDependencies): RestartHandlers {
  const timers = new Map<keyof typeof timeouts, Disposable>()

  function toWaitMs(dueAt: string, bootDue: BootInstant | undefined): number {
    return spanMs({time: new Date(clock.now()).toISOString(), boot: bootNow()}, {time: dueAt, boot: bootDue})
  }

  function cancel(timer: keyof typeof timeouts): void {
    timers.get(timer)?.[Symbol.dispose]()
    timers.delete(timer)
  }

  return {
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

    'request.start': async (_, cause) => {
      // A refusal is in the ledger as start-failed; nobody else waits for this one.
      await loop()
        .submit({type: 'start'}, toOrigin(cause))
        .catch(() => {})
      return undefined
    },

    'timer.arm': async ({timer, dueAt, bootDue}, cause) => {
      cancel(timer)
      timers.set(
        timer,
        clock.at(clock.elapsed() + toWaitMs(dueAt, bootDue), () => void loop().observe({type: timeouts[timer], data: {}}, toOrigin(cause))),
      )
      return undefined
    },

    'timer.cancel': async ({timer}) => {
      cancel(timer)
      return undefined
    },
  }
}

/** What the chart asks for about a container that comes back: when, and that it is to be started. */
import type {Clock} from '../kernel/clock.ts'
import {type Loop, toOrigin} from './loop.ts'
import type {Handlers} from './effects.ts'

export type RestartHandlers = Pick<Handlers, 'restart.schedule' | 'restart.give-up' | 'request.start' | 'timer.arm' | 'timer.cancel'>

export interface RestartDependencies {
  readonly clock: Clock
  /** From 0, below 1. */
  readonly random: () => number
  readonly loop: () => Loop
}

const timeouts = {stop: 'container.stop-timed-out', restart: 'container.restart-due'} as const

export function createRestartEffects({clock, random, loop}: RestartDependencies): RestartHandlers {
  const timers = new Map<keyof typeof timeouts, Disposable>()

  function cancel(timer: keyof typeof timeouts): void {
    timers.get(timer)?.[Symbol.dispose]()
    timers.delete(timer)
  }

  return {
    'restart.schedule': async ({attempt, delayMs}) => {
      // Containers that fell together do not come back together.
      const dueAt = clock.now() + Math.round((delayMs * (1 + random())) / 2)
      return {type: 'container.restart-scheduled', data: {attempt, dueAt: new Date(dueAt).toISOString()}}
    },

    'restart.give-up': async ({attempts}) => ({type: 'container.restart-gave-up', data: {attempts}}),

    'request.start': async (_, cause) => {
      // A refusal is in the ledger as start-failed; nobody else waits for this one.
      await loop()
        .submit({type: 'start'}, toOrigin(cause))
        .catch(() => {})
      return undefined
    },

    'timer.arm': async ({timer, dueAt}, cause) => {
      cancel(timer)
      timers.set(
        timer,
        clock.at(Date.parse(dueAt), () => void loop().observe({type: timeouts[timer], data: {}}, toOrigin(cause))),
      )
      return undefined
    },

    'timer.cancel': async ({timer}) => {
      cancel(timer)
      return undefined
    },
  }
}

/**
 * One handler for each effect, no more and no less, from families that are all made in one way. Each handler is idempotent: recovery may
 * run it again. None rejects for what goes wrong outside of the supervisor: for that it returns a failure event.
 */
import type {Effect} from '../../../machines/charts/effects.ts'
import type {Draft} from '../../../machines/ledger/draft.ts'
import {createCheckpointEffects} from './checkpoint-effects.ts'
import {createContainerEffects} from './container-effects.ts'
import {createCreationEffects} from './creation-effects.ts'
import {createDeletionEffects} from './deletion-effects.ts'
import type {EffectCall, RunEffect} from './effect-call.ts'
import type {EffectDependencies, EffectOptions} from './effect-dependencies.ts'
import {createExecEffects} from './exec-effects.ts'
import type {Handlers} from './handlers.ts'
import {createRequestEffects} from './request-effects.ts'
import {createStdioEffects} from './stdio-effects.ts'
import {createTimerEffects} from './timer-effects.ts'
import {createWatchEffects} from './watch-effects.ts'

export function createHandlers(dependencies: EffectDependencies, options: EffectOptions): Handlers {
  return {
    ...createCreationEffects(dependencies, options),
    ...createContainerEffects(dependencies, options),
    ...createCheckpointEffects(dependencies, options),
    ...createStdioEffects(dependencies),
    ...createExecEffects(dependencies, options),
    ...createTimerEffects(dependencies),
    ...createWatchEffects(dependencies),
    ...createRequestEffects(dependencies),
    ...createDeletionEffects(dependencies, options),
  }
}

/** Applies the handler of an effect's type. */
export function createRunEffect(handlers: Handlers): RunEffect {
  return (effect, call) => {
    const handler = handlers[effect.type] as (effect: Effect, call: EffectCall) => Promise<Draft | undefined>
    return handler(effect, call)
  }
}

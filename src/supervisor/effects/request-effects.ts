/** The effects with which the supervisor asks, in its own name, for what a user could ask for as well. */
import {toErrorBody} from '../../kernel/errors.ts'
import {backoff} from './backoff.ts'
import type {EffectDependencies} from './effect-dependencies.ts'
import type {Family} from './handlers.ts'

export function createRequestEffects({
  outputs,
  clock,
}: Pick<EffectDependencies, 'outputs' | 'clock'>): Family<'request.start' | 'request.delete' | 'request.exec-delete'> {
  return {
    'request.start': async (_, {request}) => {
      // That it failed is in the ledger as start-failed, which has effects of its own.
      await request({type: 'start'}).catch(() => {})
      return undefined
    },

    'request.delete': async ({reason}, {request}) => {
      // No user would retry it; that it failed is in the ledger as delete-failed.
      for (const waitMs of backoff()) {
        await outputs.whenReleased()
        const failure = await request({type: 'delete', force: false, reason}).then(() => undefined, toErrorBody)
        // A user who has started it again meanwhile wants it.
        if (!failure || failure.code === 'ILLEGAL_COMMAND') return undefined
        await clock.sleep(waitMs)
      }
      return undefined
    },

    'request.exec-delete': async ({exec, reason}, {request}) => {
      await outputs.whenReleased(exec)
      // A user may have deleted it, and the container with it.
      await request({type: 'exec-delete', exec, reason}).catch(() => {})
      return undefined
    },
  }
}

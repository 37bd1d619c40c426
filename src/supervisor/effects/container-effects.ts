/** The effects on the container as it is: its start, signals, pauses, limits, and what is left when init has ended. */
import type {Ledger} from '../../../machines/ledger/ledger.ts'
import {toSignalNumber} from '../../../machines/schemas/signals.ts'
import {toErrorBody} from '../../kernel/errors.ts'
import {isAlive} from '../../linux/process-table.ts'
import type {EffectDependencies, EffectOptions} from './effect-dependencies.ts'
import type {Family} from './handlers.ts'
import {isFrozen} from './is-frozen.ts'
import {updateLimits} from './update-limits.ts'

const lastMomentMs = 500

export function createContainerEffects(
  {runtime, outputs, init, clock, bootNow}: EffectDependencies,
  {address: {id}, limitsSwap}: EffectOptions,
): Family<`runtime.${'start' | 'kill' | 'pause' | 'resume' | 'update' | 'sweep'}`> {
  return {
    'runtime.start': async (_, {ledger}) => {
      try {
        const {init: identity, bundle} = ledger().snapshot.context
        await runtime.start(id, identity && bundle !== undefined ? {pid: identity.pid, bundle} : undefined)
        return {type: 'container.started', data: {boot: bootNow()}}
      } catch (error) {
        // Whatever became of the runtime: what counts is what init does.
        if (await isExecutedNow(ledger())) return {type: 'container.started', data: {boot: bootNow()}}
        return {type: 'container.start-failed', data: {error: toErrorBody(error)}}
      }
    },

    'runtime.kill': async ({signal, all = false}) => {
      try {
        init.signal(toSignalNumber(signal), {all})
        return {type: 'container.signalled', data: {signal}}
      } catch (error) {
        return {type: 'container.kill-failed', data: {signal, error: toErrorBody(error)}}
      }
    },

    'runtime.pause': async () => {
      try {
        await runtime.pause(id)
        return {type: 'container.paused', data: {}}
      } catch (error) {
        if (await isFrozen(runtime, id)) return {type: 'container.paused', data: {}}
        // Half frozen it could not even be killed.
        await runtime.resume(id).catch(() => {})
        return {type: 'container.pause-failed', data: {error: toErrorBody(error)}}
      }
    },

    'runtime.resume': async () => {
      try {
        await runtime.resume(id)
        return {type: 'container.resumed', data: {}}
      } catch (error) {
        if ((await isFrozen(runtime, id)) === false) return {type: 'container.resumed', data: {}}
        return {type: 'container.resume-failed', data: {error: toErrorBody(error)}}
      }
    },

    'runtime.update': async ({limits}, {ledger}) => {
      try {
        await updateLimits(runtime, limits, {id, context: ledger().snapshot.context, limitsSwap})
        return {type: 'container.updated', data: {limits}}
      } catch (error) {
        return {type: 'container.update-failed', data: {error: toErrorBody(error)}}
      }
    },

    'runtime.sweep': async ({isToCome}) => {
      await init.killRemains()
      if (isToCome) return undefined
      // It waits for as long as the log cannot be written; a delete in between cuts it short.
      await outputs
        .of()
        .end()
        .catch(() => {})
      return undefined
    },
  }

  /** A runtime that was killed may have let init go in its last moment. */
  async function isExecutedNow({snapshot}: Ledger): Promise<boolean> {
    const {init: identity} = snapshot.context
    for (const giveUpAt = clock.elapsed() + lastMomentMs; ; await clock.sleep(20)) {
      if (await runtime.isExecuted(id, identity?.pid)) return true
      if (!identity || !isAlive(identity) || clock.elapsed() > giveUpAt) return false
    }
  }
}

/** The effects with which the container is removed, and its supervisor ends. */
import {rm} from 'node:fs/promises'
import type {Ledger} from '../../../machines/ledger/ledger.ts'
import {toSignalNumber} from '../../../machines/schemas/signals.ts'
import type {Clock} from '../../kernel/clock.ts'
import {TallyError, toErrorBody} from '../../kernel/errors.ts'
import {removeCgroupRemains} from './cgroup-remains.ts'
import type {EffectDependencies, EffectOptions} from './effect-dependencies.ts'
import {emptyStateDir, toDeleteFailure} from './files-of-container.ts'
import type {Family} from './handlers.ts'
import {isFrozen} from './is-frozen.ts'
import {lastCheck} from './last-check.ts'

const lastOutputPatienceMs = 5_000
const lastExitPatienceMs = 30_000

export function createDeletionEffects(
  {runtime, outputs, init, health, clock, lastRoom, unmountRootfs, end}: EffectDependencies,
  {address: {id}, layout}: EffectOptions,
): Family<'runtime.delete' | 'supervisor.end'> {
  const output = outputs.of()

  return {
    'runtime.delete': async (_, {ledger, waitForExit}) => {
      try {
        const {init: identity, exited, pausedAt} = ledger().snapshot.context
        if (await lastRoom.isShort()) await dropOutput(ledger())
        if (identity && !exited) {
          killInit()
          if (pausedAt) await runtime.resume(id)
          await within(clock, waitForExit(), lastExitPatienceMs, 'init did not end within 30 s of SIGKILL')
        }
        await init.killRemains()
        await lastCheck(health, clock)
        // Its log goes as well: one that cannot be written, because the disk is full, must not stand in the way.
        await Promise.race([output.end().catch(() => {}), clock.sleep(lastOutputPatienceMs)])
        await runtime.delete(id, {force: true})
        await removeCgroupRemains(layout.cgroupsPath, clock)
        unmountRootfs()
        await output.remove()
        await rm(layout.runDir, {recursive: true, force: true, maxRetries: 3})
        await emptyStateDir(layout)
        return {type: 'container.deleted', data: {}}
      } catch (error) {
        const {pausedAt, exited} = ledger().snapshot.context
        // Where it cannot be known, it is taken for frozen: to resume what runs does no harm.
        const paused = pausedAt !== undefined && !exited && (await isFrozen(runtime, id)) !== false
        return {type: 'container.delete-failed', data: {error: toErrorBody(toDeleteFailure(error)), ...(paused && {paused})}}
      }
    },

    'supervisor.end': async () => {
      end()
      return undefined
    },
  }

  /** What is written from now on is read, so that the writers can end, and dropped. */
  async function dropOutput({processes}: Ledger): Promise<void> {
    const all = [undefined, ...processes.keys()]
    await Promise.all(
      all.map((exec) =>
        outputs
          .of(exec)
          .remove(true)
          .catch(() => {}),
      ),
    )
    lastRoom.dropLogs()
  }

  /** It may have ended by itself a moment ago; its exit is on the way then. */
  function killInit(): void {
    try {
      init.signal(toSignalNumber('SIGKILL'))
    } catch (error) {
      if (toErrorBody(error).details['finished'] !== true) throw error
    }
  }
}

async function within<T>(clock: Clock, work: Promise<T>, ms: number, message: string): Promise<T> {
  const {promise: late, reject} = Promise.withResolvers<never>()
  using _timer = clock.at(clock.elapsed() + ms, () => reject(new TallyError('TIMED_OUT', message)))
  return await Promise.race([work, late])
}

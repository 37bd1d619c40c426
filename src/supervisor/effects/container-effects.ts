/**
 * The one interpreter of effects. Each handler is idempotent: recovery may run it again. None rejects for a reason of the
 * world; what goes wrong there is the failure event that it returns.
 */
import type {EffectDependencies, EffectOptions} from './effect-dependencies.ts'
import type {Handlers} from './effect-table.ts'
import {rm} from 'node:fs/promises'
import type {Draft} from '../../../machines/ledger/draft.ts'
import type {Effect} from '../../../machines/charts/effects.ts'
import type {LedgerEvent} from '../../../machines/ledger/events.ts'
import type {CreateRequest} from '../../../machines/schemas/create-request.ts'
import {toSignalNumber} from '../../../machines/schemas/signals.ts'
import type {Clock} from '../../kernel/clock.ts'
import {TallyError, toErrorBody} from '../../kernel/errors.ts'
import {isAlive} from '../../linux/process-table.ts'
import {checkRestore, createCheckpointEffects} from './checkpoint-effects.ts'
import {removeCgroupRemains} from './cgroup-remains.ts'
import {emptyStateDir, toDeleteFailure} from './files-of-container.ts'
import {toOrigin} from '../loop/loop.ts'
import {enterSharedDirectories} from '../../layout/shared-directories.ts'
import {updateLimits} from './update-limits.ts'

const lastOutputPatienceMs = 5_000
/** Between two tries of a deletion that nobody has asked for. */
const deleteAgain = {firstMs: 100, mostMs: 60_000} as const
/** It ends with the container, but the runtime may take a moment to say so. */
const lastCheckPatienceMs = 5_000
const lastMomentMs = 500

export function createEffectHandlers(
  {
    runtime,
    init,
    outputs,
    clock,
    bootNow,
    reaper,
    prepareBundle,
    unmountRootfs,
    lastRoom,
    ofExecs,
    ofRestarts,
    health,
    loop,
    end,
  }: EffectDependencies,
  {address, layout, limitsSwap}: EffectOptions,
): Handlers {
  const output = outputs.of()

  /** It may have ended by itself a moment ago; its exit is on the way then. */
  function killInit(): void {
    try {
      init.signal(toSignalNumber('SIGKILL'))
    } catch (error) {
      if (toErrorBody(error).details['finished'] !== true) throw error
    }
  }

  /** Whatever became of the runtime; undefined when nobody can tell. */
  async function isFrozen(): Promise<boolean | undefined> {
    const state = await runtime.state(address.id).catch(() => undefined)
    return state && state.status === 'paused'
  }

  /** A runtime that was killed may have let init go in its last moment. */
  async function isExecutedNow(): Promise<boolean> {
    const {init: identity} = loop().ledger.snapshot.context
    for (const giveUpAt = clock.elapsed() + lastMomentMs; ; await clock.sleep(20)) {
      if (await runtime.isExecuted(address.id, identity?.pid)) return true
      if (!identity || !isAlive(identity) || clock.elapsed() > giveUpAt) return false
    }
  }

  /** What it writes from now on is read, so that it can end, and forgotten. */
  async function dropOutput(): Promise<void> {
    const all = [undefined, ...loop().ledger.processes.keys()]
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

  async function rollBack(): Promise<void> {
    await output.remove()
    await removeCgroupRemains(layout.cgroupsPath, clock)
    unmountRootfs()
    await rm(layout.runDir, {recursive: true, force: true})
  }

  async function create(request: CreateRequest, {checkpoint}: {readonly checkpoint: boolean}): Promise<Draft> {
    const isFirst = loop().ledger.snapshot.context.createdAt === undefined
    try {
      if (checkpoint) await checkRestore(request, reaper)
      enterSharedDirectories(layout)
      const {bundle, args, terminal, overlay, confinement} = await prepareBundle(request, layout)
      const made = {bundle, args: [...args], ...(terminal && {terminal}), ...(overlay && {overlay}), confinement}
      if (checkpoint) return {type: 'container.created', data: {...made, cgroups: []}}
      const stdio = await output.open({stdin: request.stdin === true, terminal, consoleSize: request.consoleSize, rotation: request.log})
      // Between runc's end and our watching, init is a child that nobody knows.
      using _hold = reaper.holdOrphans()
      const {pid} = await runtime.create({id: address.id, bundle, pidFile: layout.pidFile, stdio})
      const {identity, cgroups} = init.adopt(pid)
      await output.handOver()
      return {type: 'container.created', data: {init: identity, ...made, cgroups: [...cgroups]}}
    } catch (error) {
      // The deletion that follows tries again, and tells. What was made for the first keeps the changes of all that follow.
      if (isFirst) await rollBack().catch(() => {})
      return {type: 'container.create-failed', data: {error: toErrorBody(error)}}
    }
  }

  return {
    ...ofExecs,
    ...ofRestarts,
    ...health.handlers,
    ...createCheckpointEffects({runtime, init, outputs, clock, bootNow, reaper, loop}, {address, layout}),

    'runtime.create': async ({request}) => await create(request, {checkpoint: request.checkpoint !== undefined}),

    'runtime.recreate': async ({request}) => {
      try {
        await init.killRemains()
        await Promise.race([health.idle(), clock.sleep(lastCheckPatienceMs)])
        await runtime.delete(address.id, {force: true})
        await removeCgroupRemains(layout.cgroupsPath, clock)
        await output.renew()
      } catch (error) {
        return {type: 'container.create-failed', data: {error: toErrorBody(error)}}
      }
      const {checkpoint: _, ...anew} = request
      return await create(anew, {checkpoint: false})
    },

    'runtime.start': async (): Promise<Draft> => {
      try {
        const {init: identity, bundle} = loop().ledger.snapshot.context
        await runtime.start(address.id, identity && bundle !== undefined ? {pid: identity.pid, bundle} : undefined)
        return {type: 'container.started', data: {boot: bootNow()}}
      } catch (error) {
        // Whatever became of the runtime: what counts is what init does.
        if (await isExecutedNow()) return {type: 'container.started', data: {boot: bootNow()}}
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
        await runtime.pause(address.id)
        return {type: 'container.paused', data: {}}
      } catch (error) {
        if (await isFrozen()) return {type: 'container.paused', data: {}}
        // Half frozen it could not even be killed.
        await runtime.resume(address.id).catch(() => {})
        return {type: 'container.pause-failed', data: {error: toErrorBody(error)}}
      }
    },

    'runtime.resume': async () => {
      try {
        await runtime.resume(address.id)
        return {type: 'container.resumed', data: {}}
      } catch (error) {
        if ((await isFrozen()) === false) return {type: 'container.resumed', data: {}}
        return {type: 'container.resume-failed', data: {error: toErrorBody(error)}}
      }
    },

    'runtime.update': async ({limits}) => {
      try {
        await updateLimits(runtime, limits, {id: address.id, context: loop().ledger.snapshot.context, limitsSwap})
        return {type: 'container.updated', data: {limits}}
      } catch (error) {
        return {type: 'container.update-failed', data: {error: toErrorBody(error)}}
      }
    },

    'runtime.sweep': async ({isToCome}) => {
      await init.killRemains()
      if (isToCome) return undefined
      // It waits for as long as the log cannot be written; a delete in between cuts it short.
      await output.end().catch(() => {})
      return undefined
    },

    'runtime.delete': async () => {
      try {
        const {init: identity, exited, pausedAt} = loop().ledger.snapshot.context
        if (await lastRoom.isShort()) await dropOutput()
        if (identity && !exited) {
          killInit()
          if (pausedAt) await runtime.resume(address.id)
          await within(clock, loop().waitForExit(), 30_000, 'init did not end within 30 s of SIGKILL')
        }
        await init.killRemains()
        await Promise.race([health.idle(), clock.sleep(lastCheckPatienceMs)])
        // Its log goes as well: one that cannot be written, because the disk is full, must not stand in the way.
        await Promise.race([output.end().catch(() => {}), clock.sleep(lastOutputPatienceMs)])
        await runtime.delete(address.id, {force: true})
        await removeCgroupRemains(layout.cgroupsPath, clock)
        unmountRootfs()
        await output.remove()
        await rm(layout.runDir, {recursive: true, force: true, maxRetries: 3})
        await emptyStateDir(layout)
        return {type: 'container.deleted', data: {}}
      } catch (error) {
        const {pausedAt, exited} = loop().ledger.snapshot.context
        // Where nobody can tell, it is taken for frozen: to resume what runs does no harm.
        const paused = pausedAt !== undefined && !exited && (await isFrozen()) !== false
        return {type: 'container.delete-failed', data: {error: toErrorBody(toDeleteFailure(error)), ...(paused && {paused})}}
      }
    },

    'stdin.close': async () => {
      // What was written before goes first, for as long as its reader takes: nobody waits for that.
      void output.closeInput()
      return undefined
    },

    'terminal.resize': async ({columns, rows}) => {
      output.resize({columns, rows})
      return undefined
    },

    'request.delete': async ({reason}, cause) => {
      // Nobody waits for this one, so nobody would ask again; that it failed is in the ledger as delete-failed.
      for (let waitMs: number = deleteAgain.firstMs; ; waitMs = Math.min(waitMs * 2, deleteAgain.mostMs)) {
        await outputs.whenReleased()
        const failure = await loop()
          .submit({type: 'delete', force: false, reason}, toOrigin(cause))
          .then(() => undefined, toErrorBody)
        // Whoever has started it again meanwhile wants it.
        if (!failure || failure.code === 'ILLEGAL_COMMAND') return undefined
        await clock.sleep(waitMs)
      }
    },

    'supervisor.end': async () => {
      end()
      return undefined
    },
  }
}

async function within<T>(clock: Clock, work: Promise<T>, ms: number, message: string): Promise<T> {
  const {promise: late, reject} = Promise.withResolvers<never>()
  using _timer = clock.at(clock.elapsed() + ms, () => reject(new TallyError('TIMED_OUT', message)))
  return await Promise.race([work, late])
}

/** Applies the handler of an effect's type. */
export function runEffect(handlers: Handlers, effect: Effect, cause: LedgerEvent): Promise<Draft | undefined> {
  const handler = handlers[effect.type] as (effect: Effect, cause: LedgerEvent) => Promise<Draft | undefined>
  return handler(effect, cause)
}

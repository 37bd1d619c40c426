/** The interpreter of those effects that are about an added process. As the others, each may be run again by recovery. */
import {mkdir, rm} from 'node:fs/promises'
import type {EffectType} from '../../../machines/charts/effects.ts'
import type {ProcessIdentity} from '../../../machines/ledger/events.ts'
import type {ExecSpec} from '../../../machines/schemas/exec-spec.ts'
import {type SignalName, toSignalNumber} from '../../../machines/schemas/signals.ts'
import type {Clock} from '../../kernel/clock.ts'
import {TallyError, toErrorBody} from '../../kernel/errors.ts'
import type {Logger} from '../../kernel/log.ts'
import type {ChildReaper} from '../../linux/child-reaper.ts'
import {readCgroupProcesses} from '../../linux/cgroup.ts'
import {hasOpenBelow, isAlive, readProcessIdentity} from '../../linux/process-table.ts'
import type {OciRuntime} from '../../runtime/oci-runtime.ts'
import type {Handlers} from './effect-table.ts'
import {createConcurrencyLimit} from './concurrency-limit.ts'
import type {ContainerLayout, ExecLayout} from '../../layout/container-layout.ts'
import {type Loop, toOrigin} from '../loop/loop.ts'
import {toEndOrigin} from '../loop/origin.ts'
import type {Outputs} from '../output/outputs.ts'
import type {WatchProcess} from '../processes/process-watcher.ts'

export interface ExecEffectDependencies {
  readonly runtime: OciRuntime
  readonly outputs: Outputs
  readonly watch: WatchProcess
  readonly clock: Clock
  readonly reaper: Pick<ChildReaper, 'holdOrphans'>
  /** Writes what the runtime reads of the process. */
  readonly prepareProcess: (spec: ExecSpec, layout: ExecLayout) => Promise<void>
  /** Has its pipes held, so that they outlive us; no longer than a moment. */
  readonly hold: (exec: string) => Promise<void>
  readonly loop: () => Loop
  readonly logger: Pick<Logger, 'error'>
}

/** A process start each, of tens of milliseconds of CPU time: more at once only makes all of them late. */
const mostStartsAtOnce = 8
const lastOutputPatienceMs = 5_000
const rollBackAgain = {firstMs: 100, mostMs: 60_000} as const

export type ExecHandlers = Pick<Handlers, Extract<EffectType, `exec.${string}` | 'request.exec-delete'>>

export interface ExecEffects {
  readonly handlers: ExecHandlers
  /** Its exit will be reported as an event. */
  watchExec(exec: string, identity: ProcessIdentity): void
  /** Init has ended: those that do not share its fate by a pid namespace have to. */
  killAll(): void
}

export function createExecEffects(
  {runtime, outputs, watch, clock, reaper, prepareProcess, hold, loop, logger}: ExecEffectDependencies,
  {containerId, uid, layout}: {readonly containerId: string; readonly uid: string; readonly layout: ContainerLayout},
): ExecEffects {
  const limited = createConcurrencyLimit(mostStartsAtOnce)

  return {
    watchExec,
    killAll: () => {
      for (const {context} of loop().ledger.processes.values()) if (context.process && !context.exited) kill(context.process)
    },
    handlers: {
      'exec.start': ({exec, spec}) =>
        limited(async () => {
          const output = outputs.of(exec)
          const place = layout.exec(exec)
          try {
            await Promise.all([place.runDir, place.stateDir].map((dir) => mkdir(dir, {recursive: true, mode: 0o700})))
            const [stdio] = await Promise.all([
              output.open({stdin: spec.stdin === true, terminal: spec.terminal === true, consoleSize: spec.consoleSize}),
              prepareProcess(spec, place),
            ])
            await hold(exec)
            using _hold = reaper.holdOrphans()
            const initPid = loop().ledger.snapshot.context.init?.pid
            const {processFile, pidFile} = place
            const {pid} = await runtime.exec({id: containerId, processFile, pidFile, stdio, initPid})
            const identity = readProcessIdentity(pid)
            if (!identity) throw new TallyError('RUNC_EXEC_FAILED', `the runtime reported process ${pid}, which does not exist`)
            watchExec(exec, identity)
            await output.handOver()
            // Somebody may have closed it before there was anybody to read it.
            if (loop().ledger.processes.get(exec)?.context.stdinClosed) await output.closeInput()
            return {type: 'exec.started', data: {exec, process: identity}}
          } catch (error) {
            // A runtime that was killed may have started it in its last moment.
            for (const pid of listWriters(exec)) killIfThere(pid)
            await rollBack(exec).catch(() => {
              // Its deletion tries again.
            })
            return {type: 'exec.start-failed', data: {exec, error: toErrorBody(error)}}
          }
        }),

      'exec.kill': async ({exec, signal, all = false}) => {
        try {
          const identity = loop().ledger.processes.get(exec)?.context.process
          if (!identity || !isAlive(identity))
            throw new TallyError('PROCESS_ENDED', `the process ${exec} has already ended`, {details: {exec, finished: true}})
          if (all) signalGroup(identity.pid, signal)
          else process.kill(identity.pid, toSignalNumber(signal))
          return {type: 'exec.signalled', data: {exec, signal}}
        } catch (error) {
          return {type: 'exec.kill-failed', data: {exec, signal, error: toErrorBody(error)}}
        }
      },

      'exec.stdin.close': async ({exec}) => {
        // What was written before goes first, for as long as its reader takes: nobody waits for that.
        void outputs.of(exec).closeInput()
        return undefined
      },

      'exec.terminal.resize': async ({exec, columns, rows}) => {
        outputs.of(exec).resize({columns, rows})
        return undefined
      },

      'exec.end': async ({exec}) => {
        await outputs
          .of(exec)
          .end()
          .catch(() => {})
        return undefined
      },

      'exec.delete': async ({exec}) => {
        const output = outputs.of(exec)
        await Promise.race([output.end().catch(() => {}), clock.sleep(lastOutputPatienceMs)])
        await rollBackAtLast(exec)
        outputs.forget(exec)
        return {type: 'exec.deleted', data: {exec}}
      },

      'request.exec-delete': async ({exec, reason}, cause) => {
        await outputs.of(exec).lease.whenReleased()
        // Somebody else may have deleted it, and the container with it.
        await loop()
          .submit({type: 'exec-delete', exec, reason}, toOrigin(cause))
          .catch(() => {})
        return undefined
      },
    },
  }

  /** What cannot be removed now is tried again: until then its id is not free, since the next would go on in its log. */
  async function rollBackAtLast(exec: string): Promise<void> {
    for (let waitMs: number = rollBackAgain.firstMs; ; waitMs = Math.min(waitMs * 2, rollBackAgain.mostMs)) {
      try {
        return await rollBack(exec)
      } catch (error) {
        logger.error({err: error, exec, waitMs}, 'cannot remove what was made for an added process; trying again')
        await clock.sleep(waitMs)
      }
    }
  }

  /** Takes away what was made for it. */
  async function rollBack(exec: string): Promise<void> {
    const {runDir, stateDir} = layout.exec(exec)
    await outputs.of(exec).remove(listWriters(exec).length > 0)
    await Promise.all([runDir, stateDir].map((dir) => rm(dir, {recursive: true, force: true, maxRetries: 3})))
  }

  /** Processes of the container that have its FIFOs open. */
  function listWriters(exec: string): readonly number[] {
    const {fifoDir} = layout.exec(exec)
    const all = new Set(loop().ledger.snapshot.context.cgroups.flatMap(readCgroupProcesses))
    return [...all].filter((pid) => hasOpenBelow(pid, fifoDir))
  }

  function watchExec(exec: string, identity: ProcessIdentity): void {
    watch(identity, (exit, source, usage) => {
      const exitedAt = new Date(clock.now()).toISOString()
      const end = {type: 'exec.exited', data: {exec, exit, exitedAt, source, ...(usage && {usage})}} as const
      return loop().observe(end, toEndOrigin(end, loop().ledger, uid))
    })
  }
}

function kill(identity: ProcessIdentity): void {
  if (isAlive(identity)) killIfThere(identity.pid)
}

/** The runtime starts it as the leader of a group; one that has left that is alone. */
function signalGroup(pid: number, signal: SignalName): void {
  try {
    process.kill(-pid, toSignalNumber(signal))
  } catch {
    process.kill(pid, toSignalNumber(signal))
  }
}

/** It may have ended a moment ago. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {}
}

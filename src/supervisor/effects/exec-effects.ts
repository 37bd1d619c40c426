/** The effects on processes that are added to the container. */
import {mkdir, rm} from 'node:fs/promises'
import type {EffectType} from '../../../machines/charts/effects.ts'
import type {Ledger} from '../../../machines/ledger/ledger.ts'
import {type SignalName, toSignalNumber} from '../../../machines/schemas/signals.ts'
import {createConcurrencyLimit} from '../../kernel/concurrency-limit.ts'
import {TallyError, toErrorBody} from '../../kernel/errors.ts'
import {readCgroupProcesses} from '../../linux/cgroup.ts'
import {hasOpenBelow, isAlive, readProcessIdentity} from '../../linux/process-table.ts'
import {backoff} from './backoff.ts'
import type {EffectDependencies, EffectOptions} from './effect-dependencies.ts'
import type {Family} from './handlers.ts'

/** A process start each, of tens of milliseconds of CPU time: more at once only makes all of them late. */
const mostStartsAtOnce = 8
const lastOutputPatienceMs = 5_000

export function createExecEffects(
  {runtime, outputs, execs, clock, children, prepareProcess, logger}: EffectDependencies,
  {address: {id}, layout}: EffectOptions,
): Family<Extract<EffectType, `exec.${string}`>> {
  const limited = createConcurrencyLimit(mostStartsAtOnce)

  return {
    'exec.start': ({exec, spec}, {ledger}) =>
      limited(async () => {
        const output = outputs.of(exec)
        const place = layout.exec(exec)
        const {bundle} = ledger().snapshot.context
        try {
          await Promise.all([place.runDir, place.stateDir].map((dir) => mkdir(dir, {recursive: true, mode: 0o700})))
          const [stdio] = await Promise.all([
            output.open({stdin: spec.stdin === true, terminal: spec.terminal === true, consoleSize: spec.consoleSize}),
            prepareProcess(spec, {bundle, processFile: place.processFile}),
          ])
          using _hold = await children.holdOrphans()
          const {processFile, pidFile} = place
          const initPid = ledger().snapshot.context.init?.pid
          const {pid} = await runtime.exec({id, processFile, pidFile, stdio, initPid})
          const identity = readProcessIdentity(pid)
          if (!identity) throw new TallyError('RUNC_EXEC_FAILED', `the runtime reported process ${pid}, which does not exist`)
          execs.watch(exec, identity)
          await output.handOver()
          // Its input may have been closed before there was a process to read it.
          if (ledger().processes.get(exec)?.context.stdinClosed) await output.closeInput()
          return {type: 'exec.started', data: {exec, process: identity}}
        } catch (error) {
          // A runtime that was killed may have started it in its last moment.
          for (const pid of listWriters(exec, ledger())) killIfThere(pid)
          await rollBack(exec, ledger()).catch(() => {
            // Its deletion tries again.
          })
          return {type: 'exec.start-failed', data: {exec, error: toErrorBody(error)}}
        }
      }),

    'exec.kill': async ({exec, signal, all = false}, {ledger}) => {
      try {
        const identity = ledger().processes.get(exec)?.context.process
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
      // As that of init: for as long as it takes.
      await outputs
        .of(exec)
        .closeInput()
        .catch(() => {})
      return undefined
    },

    'exec.terminal.resize': async ({exec, columns, rows}) => {
      await outputs.of(exec).resize({columns, rows})
      return undefined
    },

    'exec.end': async ({exec}) => {
      await outputs
        .of(exec)
        .end()
        .catch(() => {})
      return undefined
    },

    'exec.delete': async ({exec}, {ledger}) => {
      const output = outputs.of(exec)
      await Promise.race([output.end().catch(() => {}), clock.sleep(lastOutputPatienceMs)])
      await rollBackAtLast(exec, ledger)
      outputs.forget(exec)
      return {type: 'exec.deleted', data: {exec}}
    },
  }

  /** What cannot be removed now is tried again: until then its id is not free, since the next process would go on in its log. */
  async function rollBackAtLast(exec: string, ledger: () => Ledger): Promise<void> {
    for (const waitMs of backoff()) {
      try {
        return await rollBack(exec, ledger())
      } catch (error) {
        logger.error({err: error, exec, waitMs}, 'cannot remove what was made for an added process; trying again')
        await clock.sleep(waitMs)
      }
    }
  }

  /** Removes what was made for it. */
  async function rollBack(exec: string, ledger: Ledger): Promise<void> {
    const {runDir, stateDir} = layout.exec(exec)
    await outputs.of(exec).remove(listWriters(exec, ledger).length > 0)
    await Promise.all([runDir, stateDir].map((dir) => rm(dir, {recursive: true, force: true, maxRetries: 3})))
  }

  /** Processes of the container that have its FIFOs open. */
  function listWriters(exec: string, {snapshot}: Ledger): readonly number[] {
    const {fifoDir} = layout.exec(exec)
    const all = new Set(snapshot.context.cgroups.flatMap(readCgroupProcesses))
    return [...all].filter((pid) => hasOpenBelow(pid, fifoDir))
  }
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

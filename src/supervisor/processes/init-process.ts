/**
 * The container's init, and whatever else is in its cgroup. Its exit is reported once, and it is reaped only after the report
 * is journaled: until then the status is safe in the kernel, and the pid cannot be reused.
 */
import type {ProcessIdentity} from '../../../machines/ledger/events.ts'
import type {Clock} from '../../kernel/clock.ts'
import {TallyError} from '../../kernel/errors.ts'
import {readCgroupDirectories, readCgroupProcesses} from '../../linux/cgroup.ts'
import {isAlive, readProcessIdentity} from '../../linux/process-table.ts'
import type {OnProcessExit, WatchProcess} from './process-watcher.ts'

export interface InitProcess {
  /** Begins to watch the init that the runtime has just started. */
  adopt(pid: number): {readonly identity: ProcessIdentity; readonly cgroups: readonly string[]}
  /** Begins to watch the init of a former supervisor, no child of this process: its status comes from the coordinator or the kernel. */
  readopt(identity: ProcessIdentity, cgroups: readonly string[]): void
  /** @throws TallyError PROCESS_ENDED */
  signal(signalNumber: number, options?: {readonly all?: boolean}): void
  /** Kills, until nothing is left, what is in the container's cgroups. Idempotent. */
  killRemains(): Promise<void>
}

export interface InitProcessDependencies {
  readonly watch: WatchProcess
  readonly clock: Clock
  /** Called before init is sent anything. */
  readonly onSignal?: () => void
  readonly onExit: OnProcessExit
}

const killPatienceMs = 10_000

export function createInitProcess({watch, clock, onSignal, onExit}: InitProcessDependencies): InitProcess {
  let init: ProcessIdentity | undefined
  let cgroups: readonly string[] = []

  return {
    adopt: (pid) => {
      const identity = readProcessIdentity(pid)
      if (!identity) throw new TallyError('RUNC_CREATE_FAILED', `the runtime reported init ${pid}, which does not exist`)
      init = identity
      // A zombie has left its groups; it has nothing to kill either.
      cgroups = readCgroupDirectories(pid)
      watch(identity, onExit)
      return {identity, cgroups}
    },
    readopt: (identity, groups) => {
      init = identity
      cgroups = groups
      watch(identity, onExit)
    },
    signal: (signalNumber, {all = false} = {}) => {
      if (!init || !isAlive(init)) throw new TallyError('PROCESS_ENDED', 'init has already ended', {details: {finished: true}})
      onSignal?.()
      // Init last: with a pid namespace of its own its end is theirs.
      if (all) for (const pid of remains()) kill(pid, signalNumber)
      process.kill(init.pid, signalNumber)
    },
    killRemains: async () => {
      const giveUpAt = clock.elapsed() + killPatienceMs
      for (let left = remains(); left.length > 0; left = remains()) {
        if (clock.elapsed() > giveUpAt) throw new TallyError('TIMED_OUT', `processes ${left.join(', ')} outlive SIGKILL`)
        for (const pid of left) kill(pid, 'SIGKILL')
        await clock.sleep(5)
      }
    },
  }

  function remains(): readonly number[] {
    const all = new Set(cgroups.flatMap(readCgroupProcesses))
    return [...all].filter((pid) => pid !== init?.pid)
  }
}

/** It may have ended since it was listed. */
function kill(pid: number, signal: number | 'SIGKILL'): void {
  try {
    process.kill(pid, signal)
  } catch {}
}

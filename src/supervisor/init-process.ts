/**
 * The container's init, and whatever else is in its cgroup. Its exit is reported once, and it is reaped only after the report
 * is journaled: until then the status is safe in the kernel, and the pid cannot be reused.
 */
import {closeSync} from 'node:fs'
import type {ProcessIdentity, ResourceUsage} from '../../machines/events.ts'
import type {ExitSource, ProcessExit} from '../../machines/process-exit.ts'
import {toSignalName} from '../../machines/signals.ts'
import type {Clock} from '../kernel/clock.ts'
import {TallyError} from '../kernel/errors.ts'
import {readCgroupDirectories, readCgroupProcesses} from '../linux/cgroup.ts'
import type {ChildReaper} from '../linux/child-reaper.ts'
import {openPidfd, readPidfdExit} from '../linux/pidfd.ts'
import {isAlive, isSameProcess, readProcessIdentity, readProcessStat} from '../linux/process-table.ts'
import {type ChildExit, peekChild} from '../linux/wait.ts'

export interface InitProcess {
  /** Begins to watch the init that the runtime has just left us. */
  adopt(pid: number): {readonly identity: ProcessIdentity; readonly cgroups: readonly string[]}
  /** Begins to watch an init that a former supervisor had; the exit of one that is no child of ours is known from Linux 6.15 on, and `lost` before. */
  readopt(identity: ProcessIdentity, cgroups: readonly string[]): void
  /** @throws TallyError RUNC_KILL_FAILED with `finished: true` when init has ended */
  signal(signalNumber: number, options?: {readonly all?: boolean}): void
  /** Kills, until nothing is left, what is in the container's cgroups. Idempotent. */
  killRemains(): Promise<void>
}

export interface InitProcessDependencies {
  readonly reaper: ChildReaper
  readonly clock: Clock
  /** Called before init is sent anything. */
  readonly onSignal?: () => void
  /** Resolves when the exit is journaled. */
  readonly onExit: (exit: ProcessExit, source: ExitSource, usage?: ResourceUsage) => Promise<unknown>
}

const pollMs = 100
const killPatienceMs = 10_000
/** An init of the host need not reap at once. */
const reapPatienceMs = 30_000

export function createInitProcess({reaper, clock, onSignal, onExit}: InitProcessDependencies): InitProcess {
  let init: ProcessIdentity | undefined
  let cgroups: readonly string[] = []

  return {
    adopt: (pid) => {
      const identity = readProcessIdentity(pid)
      if (!identity) throw new TallyError('RUNC_CREATE_FAILED', `the runtime reported init ${pid}, which does not exist`)
      init = identity
      // A zombie has left its groups; it has nothing to kill either.
      cgroups = readCgroupDirectories(pid)
      watchChild(pid)
      return {identity, cgroups}
    },
    readopt: (identity, groups) => {
      init = identity
      cgroups = groups
      if (isSameProcess(identity) && peekChild(identity.pid).type !== 'not-a-child') watchChild(identity.pid)
      else void watchStranger(identity)
    },
    signal: (signalNumber, {all = false} = {}) => {
      if (!init || !isSameProcess(init) || readProcessStat(init.pid)?.state === 'Z') {
        throw new TallyError('RUNC_KILL_FAILED', 'init has already ended', {details: {finished: true}})
      }
      onSignal?.()
      // Init last: with a pid namespace of its own its end is theirs.
      if (all) for (const pid of remains()) kill(pid, signalNumber)
      process.kill(init.pid, signalNumber)
    },
    killRemains: async () => {
      const giveUpAt = clock.now() + killPatienceMs
      for (let left = remains(); left.length > 0; left = remains()) {
        if (clock.now() > giveUpAt) throw new TallyError('TIMED_OUT', `processes ${left.join(', ')} outlive SIGKILL`)
        for (const pid of left) kill(pid, 'SIGKILL')
        await clock.sleep(5)
      }
    },
  }

  function watchChild(pid: number): void {
    reaper.watch(pid, (exit, usage) => {
      onExit(toProcessExit(exit), 'waitid', usage).then(() => reaper.reap(pid))
    })
  }

  /** Somebody else's child now, who will reap it. From Linux 6.15 on the kernel tells whoever holds its pidfd how it ended. */
  async function watchStranger(identity: ProcessIdentity): Promise<void> {
    const fd = openPidfdOf(identity)
    try {
      while (isAlive(identity)) await clock.sleep(pollMs)
      const exit = fd === undefined ? undefined : await readExit(fd)
      if (exit) await onExit(toProcessExit(exit), 'pidfd')
      else await onExit({type: 'lost', reason: 'the supervisor that was its parent had died'}, 'none')
    } finally {
      if (fd !== undefined) closeSync(fd)
    }
  }

  /** The record is made when the process is reaped, by whoever is its parent now. */
  async function readExit(fd: number): Promise<ChildExit | undefined> {
    for (const giveUpAt = clock.now() + reapPatienceMs; clock.now() < giveUpAt; await clock.sleep(pollMs)) {
      const exit = readPidfdExit(fd)
      if (exit) return exit
    }
    return undefined
  }

  function remains(): readonly number[] {
    const all = new Set(cgroups.flatMap(readCgroupProcesses))
    return [...all].filter((pid) => pid !== init?.pid)
  }
}

/** Undefined where the kernel has no pidfds (before Linux 5.3), and for a process that has gone meanwhile. */
function openPidfdOf(identity: ProcessIdentity): number | undefined {
  try {
    const fd = openPidfd(identity.pid)
    if (fd === undefined || isSameProcess(identity)) return fd
    closeSync(fd)
  } catch {}
  return undefined
}

/** It may have ended since it was listed. */
function kill(pid: number, signal: number | 'SIGKILL'): void {
  try {
    process.kill(pid, signal)
  } catch {}
}

function toProcessExit(exit: ChildExit): ProcessExit {
  if (exit.type === 'code') return exit
  const signal = toSignalName(exit.signalNumber)
  if (!signal) return {type: 'lost', reason: `ended by unknown signal ${exit.signalNumber}`}
  return {type: 'signal', signal, ...(exit.coreDumped && {coreDumped: true})}
}

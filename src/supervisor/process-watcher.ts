/**
 * Watching a process until it ends: a child of ours is left a zombie until its status is journaled, so that the status is safe in
 * the kernel and the pid cannot be reused; of a stranger, which a former supervisor had, the kernel tells from Linux 6.15 on.
 */
import {closeSync} from 'node:fs'
import type {ProcessIdentity, ResourceUsage} from '../../machines/events.ts'
import type {ExitSource, ProcessExit} from '../../machines/process-exit.ts'
import {toSignalName} from '../../machines/signals.ts'
import type {Clock} from '../kernel/clock.ts'
import type {ChildReaper} from '../linux/child-reaper.ts'
import {openPidfd, readPidfdExit} from '../linux/pidfd.ts'
import {isAlive, isSameProcess} from '../linux/process-table.ts'
import {type ChildExit, peekChild} from '../linux/wait.ts'

/** Resolves when the exit is journaled. */
export type OnProcessExit = (exit: ProcessExit, source: ExitSource, usage?: ResourceUsage) => Promise<unknown>

/** Calls `onExit` once; before it returns, if the process has ended already. */
export type WatchProcess = (identity: ProcessIdentity, onExit: OnProcessExit) => void

const pollMs = 100
/** An init of the host need not reap at once. */
const reapPatienceMs = 30_000

export function createProcessWatcher({reaper, clock}: {readonly reaper: ChildReaper; readonly clock: Clock}): WatchProcess {
  return (identity, onExit) => {
    if (isSameProcess(identity) && peekChild(identity.pid).type !== 'not-a-child') watchChild(identity.pid, onExit)
    else void watchStranger(identity, onExit)
  }

  function watchChild(pid: number, onExit: OnProcessExit): void {
    reaper.watch(pid, (exit, usage) => {
      onExit(toProcessExit(exit), 'waitid', usage).then(() => reaper.reap(pid))
    })
  }

  /** Somebody else's child now, who will reap it. */
  async function watchStranger(identity: ProcessIdentity, onExit: OnProcessExit): Promise<void> {
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

function toProcessExit(exit: ChildExit): ProcessExit {
  if (exit.type === 'code') return exit
  const signal = toSignalName(exit.signalNumber)
  if (!signal) return {type: 'lost', reason: `ended by unknown signal ${exit.signalNumber}`}
  return {type: 'signal', signal, ...(exit.coreDumped && {coreDumped: true})}
}

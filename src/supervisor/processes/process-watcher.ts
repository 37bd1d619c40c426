/**
 * Watches a process until it ends. A child is left a zombie until its status is journaled, so that the status is safe in the kernel and the
 * pid cannot be reused. The process of a former supervisor is as a rule a child of the coordinator, which leaves it a zombie as well: its
 * status is in /proc. The status of one that has been reaped is in its pidfd, from Linux 6.15 on.
 */
import {closeSync} from 'node:fs'
import type {ProcessIdentity, ResourceUsage} from '../../../machines/ledger/events.ts'
import type {ExitSource, ProcessExit} from '../../../machines/ledger/process-exit.ts'
import {toSignalName} from '../../../machines/schemas/signals.ts'
import type {Clock} from '../../kernel/clock.ts'
import type {ChildReaper} from '../../linux/child-reaper.ts'
import {openPidfdOf, readPidfdExit} from '../../linux/pidfd.ts'
import {isAlive, isSameProcess, readProcessStat} from '../../linux/process-table.ts'
import {type ChildExit, peekChild, toChildExit} from '../../linux/wait.ts'

/** Resolves when the exit is journaled. */
export type OnProcessExit = (exit: ProcessExit, source: ExitSource, usage?: ResourceUsage) => Promise<unknown>

/** Calls `onExit` once; before it returns, if the process has ended already. */
export type WatchProcess = (identity: ProcessIdentity, onExit: OnProcessExit) => void

const pollMs = 100
/** An init of the host need not reap at once. */
const reapPatienceMs = 30_000

export interface ProcessWatcherDependencies {
  readonly reaper: ChildReaper
  readonly clock: Clock
  /** A descriptor of it that was inherited; the watcher closes it. */
  readonly findInherited: (identity: ProcessIdentity) => number | undefined
}

export function createProcessWatcher({reaper, clock, findInherited}: ProcessWatcherDependencies): WatchProcess {
  return (identity, onExit) => {
    if (isSameProcess(identity) && peekChild(identity.pid).type !== 'not-a-child') watchChild(identity.pid, onExit)
    else void watchStranger(identity, onExit)
  }

  function watchChild(pid: number, onExit: OnProcessExit): void {
    reaper.watch(pid, (exit, usage) => {
      onExit(toProcessExit(exit), 'waitid', usage).then(() => reaper.reap(pid))
    })
  }

  /** The child of another process, which will reap it. */
  async function watchStranger(identity: ProcessIdentity, onExit: OnProcessExit): Promise<void> {
    const fd = findInherited(identity) ?? openPidfdOf(identity)
    try {
      while (isAlive(identity)) await clock.sleep(pollMs)
      const {exit, source} = await readEnd(identity, fd)
      await onExit(exit, source)
    } finally {
      if (fd !== undefined) closeSync(fd)
    }
  }

  /** The kernel's record of a process is made when it is reaped, by its parent at that time. */
  async function readEnd(identity: ProcessIdentity, fd: number | undefined): Promise<ProcessEnd> {
    for (const giveUpAt = clock.elapsed() + reapPatienceMs; clock.elapsed() < giveUpAt; await clock.sleep(pollMs)) {
      const ofZombie = readZombieExit(identity)
      if (ofZombie) return {exit: toProcessExit(ofZombie), source: 'coordinator'}
      const recorded = fd === undefined ? undefined : readPidfdExit(fd)
      if (recorded) return {exit: toProcessExit(recorded), source: 'pidfd'}
      if (!isSameProcess(identity) && fd === undefined) break
    }
    return {exit: {type: 'lost', reason: 'the supervisor that was its parent had died'}, source: 'none'}
  }
}

interface ProcessEnd {
  readonly exit: ProcessExit
  readonly source: ExitSource
}

function readZombieExit(identity: ProcessIdentity): ChildExit | undefined {
  const stat = readProcessStat(identity.pid)
  return stat?.isZombie && stat.startTimeTicks === identity.startTimeTicks ? toChildExit(stat.exitStatus) : undefined
}

function toProcessExit(exit: ChildExit): ProcessExit {
  if (exit.type === 'code') return exit
  const signal = toSignalName(exit.signalNumber)
  if (!signal) return {type: 'lost', reason: `ended by unknown signal ${exit.signalNumber}`}
  return {type: 'signal', signal, ...(exit.coreDumped && {coreDumped: true})}
}

/** How a process of the container ended, from whoever knows: the shim, or what is left when a shim was killed. */
import {closeSync} from 'node:fs'
import type {ProcessIdentity} from '../../../machines/ledger/events.ts'
import type {ExitSource, ProcessExit} from '../../../machines/ledger/process-exit.ts'
import {toSignalName} from '../../../machines/schemas/signals.ts'
import type {Clock} from '../../kernel/clock.ts'
import {openPidfdOf, readPidfdExit} from '../../linux/pidfd.ts'
import {isSameProcess, readProcessStat} from '../../linux/process-table.ts'
import {type ChildExit, type ResourceUsage, toChildExit} from '../../linux/wait.ts'
import type {KnownExit} from '../assignment.ts'
import type {Children} from '../shim/children.ts'

/** An end, and when it was seen. */
export interface ProcessEnd {
  readonly exit: ProcessExit
  readonly source: ExitSource
  readonly usage?: ResourceUsage | undefined
  /** Epoch milliseconds. */
  readonly seenAtMs: number
  /** Milliseconds since boot. */
  readonly seenBootMs: number
}

/** Resolves when the exit is journaled. */
export type OnProcessExit = (end: ProcessEnd) => Promise<unknown>

/** Calls `onExit` once, when the process has ended, or if it has before. */
export type WatchProcess = (identity: ProcessIdentity, onExit: OnProcessExit) => void

const pollMs = 100
/** An init of the host need not reap at once. */
const reapPatienceMs = 30_000

export interface ProcessWatcherDependencies {
  readonly children: Pick<Children, 'watch'>
  readonly clock: Clock
  /** Of processes that lost their shim. */
  readonly findKnownExit: (identity: ProcessIdentity) => KnownExit | undefined
}

export function createProcessWatcher({children, clock, findKnownExit}: ProcessWatcherDependencies): WatchProcess {
  return (identity, onExit) => void watch(identity, onExit)

  async function watch(identity: ProcessIdentity, onExit: OnProcessExit): Promise<void> {
    // Opened first: from Linux 6.15 it tells the status of another's child.
    const fd = openPidfdOf(identity)
    const isThere =
      isSameProcess(identity) &&
      (await children.watch(identity, async ({status, usage, seenAtMs, seenBootMs}) => {
        if (status === undefined) return await finish()
        if (fd !== undefined) closeSync(fd)
        await onExit({exit: toProcessExit(status), source: 'waitid', usage, seenAtMs, seenBootMs})
      }))
    if (!isThere) await finish()

    async function finish(): Promise<void> {
      const end = await readEnd(identity, fd)
      if (fd !== undefined) closeSync(fd)
      await onExit({...end, seenAtMs: clock.now(), seenBootMs: clock.elapsed()})
    }
  }

  /** The kernel's record of a process is made when it is reaped, by its parent at that time. */
  async function readEnd(identity: ProcessIdentity, fd: number | undefined): Promise<Pick<ProcessEnd, 'exit' | 'source'>> {
    for (const giveUpAt = clock.elapsed() + reapPatienceMs; clock.elapsed() < giveUpAt; await clock.sleep(pollMs)) {
      const known = findKnownExit(identity)
      if (known) return {exit: toProcessExit(known.exit), source: known.source}
      const ofZombie = readZombieExit(identity)
      if (ofZombie) return {exit: toProcessExit(ofZombie), source: 'coordinator'}
      const recorded = fd === undefined ? undefined : readPidfdExit(fd)
      if (recorded) return {exit: toProcessExit(recorded), source: 'pidfd'}
      if (!isSameProcess(identity) && fd === undefined) break
    }
    return {exit: {type: 'lost', reason: 'the shim that was its parent had been killed'}, source: 'none'}
  }
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

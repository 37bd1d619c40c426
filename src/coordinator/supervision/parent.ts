/**
 * The shim that has started this coordinator, and starts it again when it dies (docs/shim.md). In the foreground, and beneath a service
 * manager, there is none.
 *
 * MUST hold: a coordinator that ends because it was told to, because it gives way, or because it could never start, is not started again;
 * achieved by saying END right before it ends.
 */
import {uptime} from 'node:os'
import {setTimeout as sleep} from 'node:timers/promises'
import {TallyError} from '../../kernel/errors.ts'
import {setCloseOnExec} from '../../linux/close-on-exec.ts'
import type {ExitRecord} from '../../shim/client/exit-record.ts'
import {features, orphanModes} from '../../shim/client/frames.ts'
import {openShim, type Shim, shimDescriptor} from '../../shim/client/shim.ts'

/** A process that fell to the shim, since its own parent was killed. */
export type OrphanExit = Pick<ExitRecord, 'pid' | 'startTicks' | 'status'>

export interface CoordinatorParent {
  /** Of the shim; undefined when there is none. */
  readonly process: {readonly pid: number; readonly starts: number; readonly deaths: number} | undefined
  /** Nobody has started this node's coordinator before it, or it will not be started again. */
  readonly isFirstStart: boolean
  /** Makes its socket, or makes it again when it has gone with its directory. @throws TallyError NODE_RUNNING when another shim has the directory */
  listen(socket: string): Promise<void>
  /** What ps(1) shows for it. */
  show(title: string): Promise<void>
  /**
   * Has the shim keep every orphan that has ended as a zombie, until the port's promise resolves, which says that its exit is journaled or
   * of no interest. It is called again for those that a former coordinator has left. At the end of this coordinator all are reaped.
   */
  onOrphanExit(port: (exit: OrphanExit) => Promise<void>): Promise<void>
  /** This coordinator is not to be started again: it MUST end soon. Idempotent. */
  leave(): Promise<void>
  /**
   * Another one is to take its place, of the program that the shim was told last: this one MUST end soon. What it leaves counts as no death,
   * unless the shim refuses.
   */
  giveWay(): Promise<void>
}

export interface ParentOptions {
  /** The shim was killed. Not called once this coordinator leaves. */
  readonly onLost: () => void
}

const leavePatienceMs = 1_000
const retryMs = 10
/** From leaving to the start of the next. */
const giveWayMs = 50

/** @param hasShim whether descriptor 3 is the socket to it */
export async function openParent(hasShim: boolean, options: ParentOptions): Promise<CoordinatorParent> {
  return hasShim ? await openShimParent(options) : noParent
}

const noParent: CoordinatorParent = {
  process: undefined,
  isFirstStart: true,
  listen: async () => {},
  show: async () => {},
  onOrphanExit: async () => {},
  leave: async () => {},
  giveWay: async () => {},
}

type Orphans = {readonly type: 'kept'; readonly port: (exit: OrphanExit) => Promise<void>} | {readonly type: 'waiting' | 'reaped'}

async function openShimParent({onLost}: ParentOptions): Promise<CoordinatorParent> {
  // Every process that is started would inherit it.
  setCloseOnExec(shimDescriptor)
  const unreaped = new Map<number, OrphanExit>()
  let orphans: Orphans = {type: 'waiting'}
  let leaving: Promise<void> | undefined
  const shim: Shim = await openShim({
    onExit: (exit) => {
      unreaped.set(exit.pid, exit)
      hand(exit)
    },
    onGrew: () => {},
    onWoken: () => {},
    onDue: () => {},
    onLost: () => leaving ?? onLost(),
  })
  const {pid, starts, deaths} = shim.held

  return {
    process: {pid, starts, deaths},
    isFirstStart: starts === 1,
    listen: async (path) => {
      await shim.call('listen', {path}).catch((cause: unknown) => {
        const isTaken = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE'
        if (isTaken) throw new TallyError('NODE_RUNNING', `another node has ${path}; \`tally down\` ends it`, {cause})
        throw cause
      })
    },
    show: async (text) => {
      if ((shim.held.features & features.title) !== 0) await shim.call('title', {text})
    },
    onOrphanExit: async (port) => {
      orphans = {type: 'kept', port}
      await shim.call('orphans', {mode: orphanModes.tell})
      for (const exit of unreaped.values()) hand(exit)
    },
    leave: () => (leaving ??= leave()),
    giveWay: () => (leaving ??= giveWay()),
  }

  function hand(exit: OrphanExit): void {
    if (orphans.type === 'kept') void orphans.port(exit).then(() => reap(exit.pid))
    else if (orphans.type === 'reaped') void reap(exit.pid)
  }

  /** Fails only when the shim is gone, which `onLost` is told. */
  async function reap(orphan: number): Promise<void> {
    unreaped.delete(orphan)
    await shim.call('reap', {pid: orphan}).catch(() => {})
  }

  /** The deadline comes first: killed at any instant from here on, this coordinator has a successor. */
  async function giveWay(): Promise<void> {
    try {
      await shim.call('deadline', {atMs: Math.round(uptime() * 1_000) + giveWayMs})
      await shim.leave('sleep')
    } catch {
      // An orphan has just ended, or the shim is gone: it is started again as one that has died.
    }
  }

  async function leave(): Promise<void> {
    orphans = {type: 'reaped'}
    await shim.call('orphans', {mode: orphanModes.reap}).catch(() => {})
    for (const giveUpAt = performance.now() + leavePatienceMs; performance.now() < giveUpAt; await sleep(retryMs)) {
      await Promise.all([...unreaped.keys()].map(reap))
      const left = await shim.leave('end').then(
        () => 'done' as const,
        (error: unknown) => (error instanceof Error && 'code' in error ? error.code : 'unknown'),
      )
      if (left === 'done' || left === 'ECONNRESET') return
    }
    // It ends with whatever it is given as its supervisor's end, from here on.
    process.kill(pid, 'SIGTERM')
  }
}

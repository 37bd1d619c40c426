/**
 * Who has ended, among all children of this process, and who may be forgotten.
 *
 * A watched child is reported but stays a zombie until `reap`, so that its status is in the journal before the kernel
 * forgets it. Children that Node spawned are Node's to reap. Every other child fell to us as subreaper: it is reaped when
 * it ends. MUST hold: a status of Node's children is never taken; achieved by everything being on one thread, where a
 * spawn registers its pid before any signal handler runs.
 */
import {SystemCallError} from './libc.ts'
import {listChildren} from './process-table.ts'
import {type ChildExit, ECHILD, peekChild, type ResourceUsage, reapChild} from './wait.ts'

export type OnExit = (exit: ChildExit, usage: ResourceUsage) => void

export interface ChildReaper extends Disposable {
  /**
   * Calls `onExit` once, when the child has ended; before `watch` returns, if it has already. It is left a zombie: call
   * `reap` when its status is safe.
   * @throws SystemCallError ECHILD when it is no child of this process, whose exit would never be seen
   */
  watch(pid: number, onExit: OnExit): void
  /** Lets the kernel forget a child that was reported. Idempotent. */
  reap(pid: number): void
  /**
   * Nobody is taken for an orphan until this is disposed of: for the moment in which a runtime has left us an init that
   * nobody watches yet.
   */
  holdOrphans(): Disposable
  /** Node spawned this one and will reap it. MUST be called in the same turn of the event loop as the spawn. */
  spawned(pid: number): void
  /** Node has reaped it: from now on the pid may be another process's. */
  forget(pid: number): void
}

const againMs = 1_000

export function createChildReaper({onOrphan}: {readonly onOrphan?: (pid: number, exit: ChildExit) => void} = {}): ChildReaper {
  const watched = new Map<number, OnExit>()
  /** Reported, and waiting for `reap`. */
  const reported = new Set<number>()
  const nodes = new Set<number>()
  let holds = 0

  process.on('SIGCHLD', scan)
  // A signal can be dropped before it gets to us, when thousands of others wait; Node needs it for its own children as well.
  const again = setInterval(() => watched.size + nodes.size > 0 && process.kill(process.pid, 'SIGCHLD'), againMs).unref()

  return {
    watch: (pid, onExit) => {
      if (peekChild(pid).type === 'not-a-child') throw new SystemCallError('waitid', ECHILD)
      watched.set(pid, onExit)
      // It may have ended before anybody watched.
      scan()
    },
    reap: (pid) => {
      // Once only: afterwards the pid may be one of Node's children.
      if (reported.delete(pid)) reapChild(pid)
    },
    holdOrphans: () => {
      holds += 1
      return {
        [Symbol.dispose]: () => {
          holds -= 1
          scan()
        },
      }
    },
    spawned: (pid) => void nodes.add(pid),
    forget: (pid) => {
      nodes.delete(pid)
      // An orphan that was given the same pid has been passed over so far.
      scan()
    },
    [Symbol.dispose]: () => {
      clearInterval(again)
      process.off('SIGCHLD', scan)
    },
  }

  /** Signals coalesce, so every child is looked at. */
  function scan(): void {
    for (const pid of listChildren()) {
      if (nodes.has(pid) || reported.has(pid)) continue
      const onExit = watched.get(pid)
      if (onExit) report(pid, onExit)
      else if (holds === 0) reapOrphan(pid)
    }
  }

  function report(pid: number, onExit: OnExit): void {
    const status = peekChild(pid)
    if (status.type !== 'exited') return
    watched.delete(pid)
    reported.add(pid)
    onExit(status.exit, status.usage)
  }

  function reapOrphan(pid: number): void {
    const status = reapChild(pid)
    if (status.type === 'exited') onOrphan?.(pid, status.exit)
  }
}

/**
 * Observes the ends of all children of this process, and reaps them.
 *
 * A watched child is reported when it ends, and stays a zombie until `reap`, so that its status is in the journal before the kernel forgets
 * it. Node.js reaps the children that it has spawned. Every other child came to this process as subreaper, and is reaped when it ends.
 * MUST hold: a child of Node.js is never reaped here; achieved by running on one thread, on which a spawn registers its pid before any
 * signal handler runs.
 */
import {SystemCallError} from './libc.ts'
import {listChildren} from './process-table.ts'
import {type ChildExit, ECHILD, peekChild, type ResourceUsage, reapChild} from './wait.ts'

export type OnExit = (exit: ChildExit, usage: ResourceUsage) => void

export interface ChildReaper extends Disposable {
  /**
   * Calls `onExit` once, when the child has ended; if it has ended already, before `watch` returns. The child stays a zombie: call `reap`
   * when its status is safe.
   * @throws SystemCallError ECHILD when it is no child of this process: its end would never be seen
   */
  watch(pid: number, onExit: OnExit): void
  /** Reaps a child that was reported. Idempotent. */
  reap(pid: number): void
  /**
   * Reaps no orphans until the result is disposed of: for the moment in which a runtime has ended, and its init is a child of this process
   * that is not watched yet.
   */
  holdOrphans(): Disposable
  /** Node.js has spawned this child and will reap it. MUST be called in the same turn of the event loop as the spawn. */
  spawned(pid: number): void
  /** Node.js has reaped the child: from now on another process may have the pid. */
  forget(pid: number): void
}

const repeatMs = 1_000

export function createChildReaper({onOrphan}: {readonly onOrphan?: (pid: number, exit: ChildExit) => void} = {}): ChildReaper {
  const watched = new Map<number, OnExit>()
  /** Reported, and waiting for `reap`. */
  const reported = new Set<number>()
  const spawnedByNode = new Set<number>()
  let deferrals = 0

  process.on('SIGCHLD', scan)
  // libuv drops signals when thousands of them wait, and Node.js needs this one for its own children as well.
  const repeat = setInterval(() => watched.size + spawnedByNode.size > 0 && process.kill(process.pid, 'SIGCHLD'), repeatMs).unref()

  return {
    watch: (pid, onExit) => {
      if (peekChild(pid).type === 'not-a-child') throw new SystemCallError('waitid', ECHILD)
      watched.set(pid, onExit)
      // It may have ended before it was watched.
      scan()
    },
    reap: (pid) => {
      // Only once: afterwards a child of Node.js may have the pid.
      if (reported.delete(pid)) reapChild(pid)
    },
    holdOrphans: () => {
      deferrals += 1
      return {
        [Symbol.dispose]: () => {
          deferrals -= 1
          scan()
        },
      }
    },
    spawned: (pid) => void spawnedByNode.add(pid),
    forget: (pid) => {
      spawnedByNode.delete(pid)
      // An orphan with the same pid has been ignored so far.
      scan()
    },
    [Symbol.dispose]: () => {
      clearInterval(repeat)
      process.off('SIGCHLD', scan)
    },
  }

  /** One signal may stand for several children, so all of them are looked at. */
  function scan(): void {
    for (const pid of listChildren()) {
      if (spawnedByNode.has(pid) || reported.has(pid)) continue
      const onExit = watched.get(pid)
      if (onExit) report(pid, onExit)
      else if (deferrals === 0) reapOrphan(pid)
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

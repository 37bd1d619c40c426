/**
 * Who has ended, among all children of this process, and who may be forgotten.
 *
 * A watched child is reported but stays a zombie until `reap`, so that its status is in the journal before the kernel
 * forgets it. Children that Node spawned are Node's to reap. Every other child fell to us as subreaper: it is reaped when
 * it ends. MUST hold: a status of Node's children is never taken; achieved by everything being on one thread, where a
 * spawn registers its pid before any signal handler runs.
 */
import {readProcessStat, listChildren} from './process-table.ts'
import {type ChildExit, peekChild, reapChild} from './wait.ts'

export interface ChildReaper extends Disposable {
  /** Calls `onExit` once, when the child has ended. It is left a zombie: call `reap` when its status is safe. */
  watch(pid: number, onExit: (exit: ChildExit) => void): void
  reap(pid: number): void
  /**
   * Nobody is taken for an orphan until this is disposed of: for the moment in which a runtime has left us an init that
   * nobody watches yet.
   */
  holdOrphans(): Disposable
  /** Node spawned this one and will reap it. */
  spawned(pid: number): void
  /** Node has reaped it. */
  forget(pid: number): void
}

export function createChildReaper({onOrphan}: {readonly onOrphan?: (pid: number, exit: ChildExit) => void} = {}): ChildReaper {
  const watched = new Map<number, (exit: ChildExit) => void>()
  /** Reported, and waiting for `reap`. */
  const reported = new Set<number>()
  const nodes = new Set<number>()
  let holds = 0

  process.on('SIGCHLD', scan)

  return {
    watch: (pid, onExit) => {
      watched.set(pid, onExit)
      // It may have ended before anybody watched.
      scan()
    },
    reap: (pid) => {
      reported.delete(pid)
      reapChild(pid)
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
    forget: (pid) => void nodes.delete(pid),
    [Symbol.dispose]: () => void process.off('SIGCHLD', scan),
  }

  /** Signals coalesce, so every child is looked at. */
  function scan(): void {
    for (const pid of listChildren()) {
      if (nodes.has(pid) || reported.has(pid)) continue
      const onExit = watched.get(pid)
      if (onExit) report(pid, onExit)
      else if (holds === 0 && readProcessStat(pid)?.state === 'Z') reapOrphan(pid)
    }
  }

  function report(pid: number, onExit: (exit: ChildExit) => void): void {
    const status = peekChild(pid)
    if (status.type !== 'exited') return
    watched.delete(pid)
    reported.add(pid)
    onExit(status.exit)
  }

  function reapOrphan(pid: number): void {
    const status = reapChild(pid)
    if (status.type === 'exited') onOrphan?.(pid, status.exit)
  }
}

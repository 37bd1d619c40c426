/**
 * The processes of the container, as their parent, the shim, tells of them. One that is watched stays a zombie until its exit is journaled,
 * so that its status outlives this supervisor, and its pid means no other process until then.
 */
import type {ProcessIdentity} from '../../../machines/ledger/events.ts'
import type {Logger} from '../../kernel/log.ts'
import type {ExitRecord} from '../../shim/client/exit-record.ts'
import {orphanModes} from '../../shim/client/frames.ts'
import {ShimError} from '../../shim/client/calls.ts'
import type {SupervisorShim} from './supervisor-shim.ts'

/** Resolves when the exit is journaled: then the process is reaped. */
export type OnChildExit = (exit: ExitRecord) => Promise<unknown>

export interface Children {
  /**
   * Calls `onExit` once, when the process has ended, also if it has before. It is asked of the shim before this returns, so that what is
   * asked of it later comes later. Of another's child only the end is seen, without its status.
   * @returns false when there is no such process any more
   */
  watch(process: Pick<ProcessIdentity, 'pid' | 'startTimeTicks'>, onExit: OnChildExit): Promise<boolean>
  /**
   * Resolves when no orphan is reaped any more, until the result is disposed of: for a call of the runtime, whose init is a child of the shim
   * that nobody watches yet.
   */
  holdOrphans(): Promise<Disposable>
  /** All that a former supervisor has left is watched now: what else has ended is reaped. */
  settle(): void
}

export interface ChildrenDependencies {
  readonly shim: Pick<SupervisorShim, 'held' | 'call' | 'exits'>
  readonly logger: Logger
}

interface Watched {
  readonly startTimeTicks: number
  readonly onExit: OnChildExit
}

export function createChildren({shim, logger}: ChildrenDependencies): Children {
  const watched = new Map<number, Watched>()
  /** Ended, and nobody has asked for them: watched by a former supervisor. Undefined when that is over. */
  let unclaimed: Map<number, ExitRecord> | undefined = new Map()
  let holds = 0
  let held: Promise<unknown> = Promise.resolve()

  shim.exits.listen((exit) => {
    const known = watched.get(exit.pid)
    watched.delete(exit.pid)
    // Another process may have the pid by now.
    if (known?.startTimeTicks === exit.startTicks) report(exit, known.onExit)
    else if (unclaimed) unclaimed.set(exit.pid, exit)
    else reap(exit.pid)
  })

  return {
    watch: async ({pid, startTimeTicks}, onExit) => {
      const ended = unclaimed?.get(pid)
      if (ended?.startTicks === startTimeTicks) {
        unclaimed?.delete(pid)
        report(ended, onExit)
        return true
      }
      watched.set(pid, {startTimeTicks, onExit})
      const startTicks = await ask(pid)
      if (startTicks === startTimeTicks) return true
      watched.delete(pid)
      return false
    },
    holdOrphans: async () => {
      holds += 1
      if (holds === 1) held = shim.call('orphans', {mode: orphanModes.hold})
      await held
      return {
        [Symbol.dispose]: () => {
          holds -= 1
          if (holds === 0) ignoreLoss(shim.call('orphans', {mode: orphanModes.reap}))
        },
      }
    },
    settle: () => {
      const left = [...(unclaimed?.keys() ?? [])]
      unclaimed = undefined
      for (const pid of left) reap(pid)
      if (holds === 0 && shim.held.orphans === orphanModes.hold) ignoreLoss(shim.call('orphans', {mode: orphanModes.reap}))
    },
  }

  /** @returns when the process was started; undefined when there is none */
  async function ask(pid: number): Promise<number | undefined> {
    // Both at once: what this supervisor says next comes after them.
    const [own, other] = await Promise.allSettled([
      shim.call('watch', {pid, isStranger: false}),
      shim.call('watch', {pid, isStranger: true}),
    ])
    if (own.status === 'fulfilled') return own.value.startTicks
    return other.status === 'fulfilled' ? other.value.startTicks : undefined
  }

  function report(exit: ExitRecord, onExit: OnChildExit): void {
    // What cannot be journaled ends this supervisor: the next one is told of the exit again.
    void onExit(exit).then(() => reap(exit.pid))
  }

  function reap(pid: number): void {
    ignoreLoss(shim.call('reap', {pid}))
  }

  /** Without a shim this process is about to end. */
  function ignoreLoss(asked: Promise<unknown>): void {
    asked.catch((error: unknown) => {
      if (!(error instanceof ShimError)) throw error
      logger.warn({err: error}, 'the shim has not done what it was asked to')
    })
  }
}

/**
 * Watches for processes of the container that the kernel kills because memory ran out. MUST hold: a kill is reported before the exit
 * that it caused; achieved by one more look when init has ended, while its groups are still there.
 */
import type {ProcessIdentity} from '../../../machines/ledger/events.ts'
import type {ProcessExit} from '../../../machines/ledger/process-exit.ts'
import type {Clock} from '../../kernel/clock.ts'
import type {OomCounter} from '../../linux/oom.ts'
import type {Observe} from '../loop/inbox.ts'
import type {OomCounters} from './oom-counters.ts'

export interface OomWatch {
  /** Begins, and again when limits have changed. @param known how many kills are in the ledger already */
  watch(init: ProcessIdentity, cgroups: readonly string[], known: number): void
  /** Reports at once what has been counted since the last look. */
  look(): void
  /** Whether the kernel ended init because memory ran out, as far as can be known. Looks before. */
  hasEnded(exit: ProcessExit): boolean
  /** No more is reported. Idempotent. */
  end(): void
}

export interface OomWatchDependencies {
  readonly counters: OomCounters
  readonly clock: Pick<Clock, 'elapsed' | 'at'>
  readonly observe: Observe
}

interface Watched {
  readonly init: ProcessIdentity
  readonly counter: OomCounter
  /** As reported last. */
  readonly killed: number
  readonly hasKilledInit: boolean
}

type Phase =
  | {readonly type: 'off'}
  /** Files of v1 report no changes: its eventfd cannot be made from here. */
  | {readonly type: 'polling'; readonly watched: Watched; readonly timer: Disposable}
  | {readonly type: 'listening'; readonly watched: Watched; readonly listener: Disposable}
  /** The count has changed; it is looked at in a moment. */
  | {readonly type: 'settling'; readonly watched: Watched; readonly listener: Disposable; readonly timer: Disposable}

/** To wake up and look takes about 0.4 ms. */
const pollMs = 1_000
/** A host whose memory runs out kills as well, and counts in the same place, but that is rare. */
const unlimitedPollMs = 10_000
/** The count rises just before SIGKILL is sent: a process that is not ending after this was not the one killed. */
const settleMs = 20

export function createOomWatch({counters, clock, observe}: OomWatchDependencies): OomWatch {
  let phase: Phase = {type: 'off'}

  return {
    watch: (init, cgroups, known) => {
      // A container that is made again has groups that count from 0 again.
      const before = phase.type !== 'off' && isSame(phase.watched.init, init) ? phase.watched : undefined
      end()
      const counter = counters.find(cgroups)
      if (!counter) return
      phase = begin({init, counter, killed: Math.max(before?.killed ?? 0, known), hasKilledInit: before?.hasKilledInit === true})
      look()
    },
    look,
    hasEnded: (exit) => {
      look()
      return phase.type !== 'off' && phase.watched.hasKilledInit && exit.type === 'signal' && exit.signal === 'SIGKILL'
    },
    end,
  }

  function begin(watched: Watched): Phase {
    const listener = watched.counter.isWatchable ? counters.listen(watched.counter, settle, fallBack) : undefined
    return listener ? {type: 'listening', watched, listener} : {type: 'polling', watched, timer: armPoll(watched)}
  }

  function end(): void {
    if (phase.type === 'listening' || phase.type === 'settling') phase.listener[Symbol.dispose]()
    if (phase.type === 'polling' || phase.type === 'settling') phase.timer[Symbol.dispose]()
    phase = {type: 'off'}
  }

  function look(): void {
    if (phase.type === 'off') return
    const {watched} = phase
    const killed = counters.read(watched.counter)
    if (killed === undefined || killed <= watched.killed) return
    phase = {...phase, watched: {...watched, killed, hasKilledInit: watched.hasKilledInit || counters.isEnding(watched.init.pid)}}
    void observe({type: 'container.oom', data: {cgroup: watched.counter.cgroup, killed}})
  }

  function armPoll({counter}: Watched): Disposable {
    return clock.at(clock.elapsed() + (counters.hasLimit(counter) ? pollMs : unlimitedPollMs), () => {
      if (phase.type !== 'polling') return
      phase = {...phase, timer: armPoll(phase.watched)}
      look()
    })
  }

  function settle(): void {
    if (phase.type !== 'listening') return
    const {watched, listener} = phase
    const timer = clock.at(clock.elapsed() + settleMs, () => {
      if (phase.type === 'settling') phase = {type: 'listening', watched: phase.watched, listener}
      look()
    })
    phase = {type: 'settling', watched, listener, timer}
  }

  function fallBack(): void {
    if (phase.type === 'off') return
    const {watched} = phase
    end()
    phase = {type: 'polling', watched, timer: armPoll(watched)}
  }
}

function isSame(one: ProcessIdentity, other: ProcessIdentity): boolean {
  return one.pid === other.pid && one.startTimeTicks === other.startTimeTicks && one.bootId === other.bootId
}

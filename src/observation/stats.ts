/** Samples of what the container uses: on request, and once a second for as long as a subscriber has asked for. */
import {type Ledger, toTopLevelState} from '../../machines/ledger/ledger.ts'
import {isFinalSample, type StatsReply} from '../../machines/views/stats.ts'
import type {Clock} from '../kernel/clock.ts'
import {readCgroupStats} from '../linux/cgroup-stats.ts'

export interface Stats {
  read(): StatsReply
  /** Publishes samples for so many milliseconds from now on, the first after a second; ends with one that says `stopped`. */
  watch(forMs: number): void
  /** For how many milliseconds samples are still to be published. */
  left(): number
  /** Publishes no more: somebody else does. */
  end(): void
}

export interface StatsDependencies {
  readonly ledger: () => Ledger
  /** Core NATS does not say whether there are subscribers, so they ask for a time. */
  readonly publish: (sample: StatsReply) => void
  readonly clock: Pick<Clock, 'now' | 'elapsed' | 'at'>
}

const intervalMs = 1_000

export function createStats({ledger, publish, clock}: StatsDependencies): Stats {
  let until = 0
  let next: Disposable | undefined

  return {
    read,
    watch: (forMs) => {
      until = Math.max(until, clock.elapsed() + forMs)
      if (!next) arm(clock.elapsed() + intervalMs)
    },
    left,
    end: () => {
      until = 0
      next?.[Symbol.dispose]()
      next = undefined
    },
  }

  function read(): StatsReply {
    const {cgroups} = ledger().snapshot.context
    return {time: new Date(clock.now()).toISOString(), state: toTopLevelState(ledger()), ...readCgroupStats(cgroups)}
  }

  /** What nobody follows any more, or has ended, needs no other. */
  function left(): number {
    return next ? Math.max(0, until - clock.elapsed()) : 0
  }

  function arm(atMs: number): void {
    next = atMs <= until ? clock.at(atMs, () => tick(atMs)) : undefined
  }

  function tick(atMs: number): void {
    const sample = read()
    publish(sample)
    // After a halt of this process there is nothing to make up for.
    if (!isFinalSample(sample)) arm(Math.max(atMs, clock.elapsed() - intervalMs) + intervalMs)
    else next = undefined
  }
}

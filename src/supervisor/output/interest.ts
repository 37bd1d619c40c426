/**
 * Whether somebody wants the output of one process published. Core NATS does not tell who has subscribed, so subscribers ask for a time and
 * repeat that before it is over. It does not survive the supervisor: the next one publishes nothing until it is asked.
 */
import type {Clock} from '../../kernel/clock.ts'

export interface Interest {
  /** From now on for so many milliseconds; the longest of several requests counts, so 0 changes nothing. */
  watch(forMs: number): void
  readonly isWatched: boolean
  /** In milliseconds of `Clock.elapsed`; undefined when nobody watches. */
  untilMs(): number | undefined
}

export function createInterest(clock: Pick<Clock, 'elapsed'>): Interest {
  let endMs = Number.NEGATIVE_INFINITY
  const isWatched = () => clock.elapsed() < endMs

  return {
    watch: (forMs) => {
      endMs = Math.max(endMs, clock.elapsed() + forMs)
    },
    get isWatched() {
      return isWatched()
    },
    untilMs: () => (isWatched() ? endMs : undefined),
  }
}

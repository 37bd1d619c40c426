/** Counts what a supervisor is doing, and remembers when it last did something. */
import type {Clock} from '../../kernel/clock.ts'

export interface ActivityCount {
  /** @returns the same promise; it counts until it is settled */
  track<T>(work: Promise<T>): Promise<T>
  /** Something has happened. */
  note(): void
  readonly open: number
  /** Milliseconds since boot. */
  readonly lastMs: number
}

export function createActivityCount(clock: Pick<Clock, 'elapsed'>): ActivityCount {
  let open = 0
  let lastMs = clock.elapsed()
  const note = () => {
    lastMs = clock.elapsed()
  }
  return {
    track: async (work) => {
      open += 1
      try {
        return await work
      } finally {
        open -= 1
        note()
      }
    },
    note,
    get open() {
      return open
    },
    get lastMs() {
      return lastMs
    },
  }
}

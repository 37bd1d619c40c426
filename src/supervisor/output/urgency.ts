/**
 * Commands go before output. Each event of a container is a step of something that somebody may wait for, of which the next is likely to
 * follow: for a moment output is read less, so that the supervisor, and the runtime beside it, have their turn.
 */
import type {Clock} from '../../kernel/clock.ts'

export interface Urgency {
  /** Something has happened. */
  note(): void
  isUrgent(): boolean
}

/** About as long as a runtime takes to start a process. */
const momentMs = 150

export function createUrgency(clock: Pick<Clock, 'now'>): Urgency {
  let notedAt = Number.NEGATIVE_INFINITY
  return {
    note: () => {
      notedAt = clock.now()
    },
    // A clock that was set back is none to go by.
    isUrgent: () => Math.abs(clock.now() - notedAt) < momentMs,
  }
}

/**
 * Commands go before output. An event of a container is often one of several steps of a command, whose caller waits: for a moment after
 * each, less output is read, so that the supervisor and the runtime get the processor.
 */
import type {Clock} from '../../kernel/clock.ts'

export interface Urgency {
  /** An event was recorded. */
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
    // The wall clock may have been set back.
    isUrgent: () => Math.abs(clock.now() - notedAt) < momentMs,
  }
}

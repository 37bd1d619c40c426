/** Errors that pass by themselves: NATS is away, or is back while supervisors are still on their way. */
import type {Clock} from '../../kernel/clock.ts'
import {toErrorBody} from '../../kernel/errors.ts'

export interface Absence {
  /** Whether what failed with this is to be tried again. Asked of every failure, in the order in which they happen. */
  isPassing(error: unknown): boolean
}

/** Supervisors come back within seconds: until then nobody answering does not mean that there is nobody. */
const returnPatienceMs = 10_000

export function createAbsence(clock: Pick<Clock, 'elapsed'>): Absence {
  let lostAtMs: number | undefined
  return {
    isPassing: (error) => {
      const {code} = toErrorBody(error)
      if (code === 'NATS_UNREACHABLE' || code === 'TIMED_OUT') {
        lostAtMs = clock.elapsed()
        return true
      }
      return code === 'CONTAINER_NOT_FOUND' && lostAtMs !== undefined && clock.elapsed() < lostAtMs + returnPatienceMs
    },
  }
}

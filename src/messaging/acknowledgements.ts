/** Waiting until the stream has confirmed an event. */
import type {Clock} from '../kernel/clock.ts'

export interface Acknowledgements {
  /** Sequence of the latest event that is confirmed. */
  readonly latest: number
  confirm(sequence: number): void
  /** @returns whether that event was confirmed in time */
  whenConfirmed(sequence: number, timeoutMs: number): Promise<boolean>
}

export function createAcknowledgements(clock: Clock): Acknowledgements {
  const waiting = new Set<{readonly sequence: number; readonly settle: (isConfirmed: boolean) => void}>()
  let latest = 0
  return {
    get latest() {
      return latest
    },
    confirm: (sequence) => {
      latest = sequence
      for (const entry of waiting) if (entry.sequence <= latest) entry.settle(true)
    },
    whenConfirmed: (sequence, timeoutMs) =>
      new Promise((resolve) => {
        if (latest >= sequence) return resolve(true)
        const timer = clock.at(clock.elapsed() + timeoutMs, () => settle(false))
        const entry = {sequence, settle}
        waiting.add(entry)
        function settle(isConfirmed: boolean): void {
          timer[Symbol.dispose]()
          waiting.delete(entry)
          resolve(isConfirmed)
        }
      }),
  }
}

/** Runs a task once after a delay, however often that is requested meanwhile. */
import type {Clock} from '../../kernel/clock.ts'

/** @returns how to request a run */
export function createRetryTimer(clock: Pick<Clock, 'at' | 'elapsed'>, delayMs: number, task: () => void): () => void {
  let state: 'idle' | 'armed' = 'idle'
  return () => {
    if (state === 'armed') return
    state = 'armed'
    clock.at(clock.elapsed() + delayMs, () => {
      state = 'idle'
      task()
    })
  }
}

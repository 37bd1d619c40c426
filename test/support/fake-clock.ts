import type {Clock} from '../../src/kernel/clock.ts'

export interface FakeClock extends Clock {
  /** Moves time on, and runs on the way, in order, what falls due. */
  advance(ms: number): void
  /** How many timers are armed. */
  readonly armed: number
}

interface Timer {
  readonly atMs: number
  readonly task: () => void
}

/** Time that stands still unless the test moves it. */
export function createFakeClock(startMs: number): FakeClock {
  let now = startMs
  let timers: readonly Timer[] = []

  function at(atMs: number, task: () => void): Disposable {
    const timer = {atMs, task}
    timers = [...timers, timer]
    return {[Symbol.dispose]: () => remove(timer)}
  }

  function remove(timer: Timer): void {
    timers = timers.filter((other) => other !== timer)
  }

  return {
    now: () => now,
    elapsed: () => now,
    at,
    sleep: (ms) => new Promise((resolve) => at(now + ms, resolve)),
    advance: (ms) => {
      const end = now + ms
      for (let next = earliest(timers, end); next; next = earliest(timers, end)) {
        now = Math.max(now, next.atMs)
        remove(next)
        next.task()
      }
      now = end
    },
    get armed() {
      return timers.length
    },
  }
}

function earliest(timers: readonly Timer[], end: number): Timer | undefined {
  const [first] = timers.filter(({atMs}) => atMs <= end).toSorted((a, b) => a.atMs - b.atMs)
  return first
}

/** Time as a port: `now` and timers together, so that a test moves both. Nobody calls `Date.now()` beside it. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
  /** Runs `task` once, not before `atMs` (epoch milliseconds); disposing the handle before then cancels it. */
  at(atMs: number, task: () => void): Disposable
  /** Resolves after `ms` milliseconds. */
  sleep(ms: number): Promise<void>
}

/** setTimeout wraps beyond 2^31-1 ms: longer waits are taken in steps. */
const longestTimeoutMs = 2 ** 31 - 1

export function createSystemClock(): Clock {
  return {
    now: () => Date.now(),
    at: (atMs, task) => {
      let timer = arm()
      function arm(): NodeJS.Timeout {
        const waitMs = Math.max(0, atMs - Date.now())
        if (waitMs <= longestTimeoutMs) return setTimeout(task, waitMs)
        return setTimeout(() => {
          timer = arm()
        }, longestTimeoutMs)
      }
      return {[Symbol.dispose]: () => clearTimeout(timer)}
    },
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  }
}

/**
 * Time as a port: `now`, `elapsed` and timers together, so that a test moves all of them. No other code calls `Date.now()`.
 *
 * MUST hold: no deadline moves when the wall clock is changed; achieved by using `now` for time stamps only, and `elapsed` for every
 * deadline.
 */
import {uptime} from 'node:os'

export interface Clock {
  /** Milliseconds since the Unix epoch: the wall clock, which may be set at any moment. */
  now(): number
  /** Milliseconds since the host was booted, in steps of 10. Counts on while the host is asleep (CLOCK_BOOTTIME), and cannot be set. */
  elapsed(): number
  /** Runs `task` once, not before `elapsed` is `elapsedMs`. Disposing the handle before then cancels it. */
  at(elapsedMs: number, task: () => void): Disposable
  /** Resolves after `ms` milliseconds. */
  sleep(ms: number): Promise<void>
}

/** Timers of Node.js stand still while the host is asleep: a long wait is made of shorter ones, after each of which `elapsed` is read. */
const longestTimeoutMs = 60_000

export function createSystemClock(): Clock {
  return {
    now: () => Date.now(),
    elapsed,
    at: (elapsedMs, task) => {
      let timer = arm()
      function arm(): NodeJS.Timeout {
        const waitMs = Math.max(0, elapsedMs - elapsed())
        return setTimeout(
          () => {
            if (elapsed() >= elapsedMs) task()
            else timer = arm()
          },
          Math.min(waitMs, longestTimeoutMs),
        )
      }
      return {[Symbol.dispose]: () => clearTimeout(timer)}
    },
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  }
}

/** From /proc/uptime (proc(5)). */
function elapsed(): number {
  return Math.round(uptime() * 1_000)
}

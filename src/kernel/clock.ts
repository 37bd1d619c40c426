/**
 * Time as a port: `now`, `elapsed` and timers together, so that a test moves all of them. Nobody calls `Date.now()` beside it.
 *
 * MUST hold: whoever waits is not moved by a change of the wall clock; achieved by `now` being for stamps alone, and every deadline being
 * one of `elapsed`.
 */
import {uptime} from 'node:os'

export interface Clock {
  /** Milliseconds since the Unix epoch: what people call the time. Set by anybody, at any moment. */
  now(): number
  /** Milliseconds since the boot of the host, which goes on while it is asleep (CLOCK_BOOTTIME), in steps of 10. Nobody can set it. */
  elapsed(): number
  /** Runs `task` once, not before `elapsedMs` (as `elapsed` tells it); disposing the handle before then cancels it. */
  at(elapsedMs: number, task: () => void): Disposable
  /** Resolves after `ms` milliseconds. */
  sleep(ms: number): Promise<void>
}

/** Timers of Node stand still while the host is asleep: a long wait looks now and then how late it is. */
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

/** `--sleep-after`: how long nothing has to happen before a supervisor ends, and its shim waits for something to do. */
import {InvalidArgumentError, Option} from 'commander'
import {parseDuration} from './times.ts'

export type SleepAfter = number | 'never'

/** Less would have a supervisor end between two commands of one client. */
const leastMs = 50

export const sleepAfterOption = new Option(
  '--sleep-after <duration>',
  'time after which a supervisor with nothing to do ends, or never (default: 5s)',
)
  .env('TALLY_SLEEP_AFTER')
  .argParser(parseSleepAfter)

/** @returns milliseconds */
export function parseSleepAfter(text: string): SleepAfter {
  if (text === 'never') return 'never'
  const ms = parseDuration(text)
  if (ms < leastMs) throw new InvalidArgumentError(`expected at least ${leastMs}ms, or never, got ${JSON.stringify(text)}`)
  return ms
}

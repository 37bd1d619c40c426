/** Parsers of times and durations on the command line. A test compares them with docs/times.md. */
import {InvalidArgumentError} from 'commander'

const unitsMs: Readonly<Record<string, number>> = {ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000}
/** The longest time of a Node.js timer: about 24 days. */
const mostMs = 2 ** 31 - 1
/** Seconds until the year 9999: a larger number is probably in milliseconds. */
const mostSeconds = 253_402_300_799

/** A duration means so long ago; digits alone are seconds since the epoch; a date is local unless it has an offset. */
export function parseTime(text: string, now = Date.now()): Date {
  const agoMs = toDurationMs(text)
  const at = agoMs === undefined ? (toEpochMs(text) ?? toDateMs(text)) : now - agoMs
  if (at === undefined || Number.isNaN(new Date(at).getTime())) {
    throw new InvalidArgumentError(
      `expected a time such as 2026-01-02, 2026-01-02T03:04:05 or 2026-01-02T03:04:05Z, or a duration such as 10m, got ${JSON.stringify(text)}`,
    )
  }
  return new Date(at)
}

/** `30s`, `1m30s`, `200ms`, or seconds. @returns milliseconds, at most the longest time of a timer */
export function parseDuration(text: string): number {
  const ms = toDurationMs(text) ?? toSecondsMs(text) ?? Number.NaN
  if (Number.isNaN(ms)) throw new InvalidArgumentError(`expected a duration such as 30s, 1m30s, 200ms or 0.5, got ${JSON.stringify(text)}`)
  if (ms > mostMs)
    throw new InvalidArgumentError(`expected a duration of up to ${Math.floor(mostMs / 86_400_000)}d, got ${JSON.stringify(text)}`)
  return Math.round(ms)
}

/** Has no upper limit. @returns undefined for what is not a duration */
export function toDurationMs(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|[smhd]))+$/.test(text)) return undefined
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (unitsMs[unit ?? ''] ?? 0),
    0,
  )
}

function toSecondsMs(text: string): number | undefined {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1_000 : undefined
}

function toEpochMs(text: string): number | undefined {
  const ms = toSecondsMs(text)
  return ms !== undefined && ms <= mostSeconds * 1_000 ? ms : undefined
}

const datePattern =
  /^(?<date>\d{4}-\d\d-\d\d)(?:[Tt ](?<hour>[01]\d|2[0-3]):(?<minute>[0-5]\d)(?::(?<second>[0-5]\d)(?:\.(?<fraction>\d{1,9}))?)?)?(?<offset>[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)?$/

/** Not by Date.parse() alone: it takes a date without a time as UTC, turns 31 February into March, and finds dates in names. */
function toDateMs(text: string): number | undefined {
  const {date, hour = '00', minute = '00', second = '00', fraction = '', offset = ''} = datePattern.exec(text)?.groups ?? {}
  if (date === undefined || !isDay(date)) return undefined
  return Date.parse(`${date}T${hour}:${minute}:${second}.${fraction.padEnd(3, '0').slice(0, 3)}${offset.toUpperCase()}`)
}

/** Compared in UTC, where every day has a midnight. */
function isDay(date: string): boolean {
  const ms = Date.parse(`${date}T00:00:00Z`)
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(date)
}

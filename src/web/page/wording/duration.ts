/** Durations and times as text. Pure. */

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const

/** `3 min`: the largest unit, rounded down. */
export function formatAge(ms: number): string {
  const [unit, size] = units.find(([, length]) => ms >= length) ?? ['s', 1_000]
  return `${Math.max(0, Math.floor(ms / size))} ${unit}`
}

/** Between two events: `+4 ms`, `+1.25 s`, `+3 min`. */
export function formatGap(ms: number): string {
  if (ms < 1_000) return `+${Math.round(ms)} ms`
  if (ms < 60_000) return `+${(ms / 1_000).toFixed(2)} s`
  return `+${formatAge(ms)}`
}

/** `14:03:05.123` in the time zone of the browser. */
export function formatClock(time: string): string {
  const at = new Date(time)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`
}

/** `24 Nov 2026, 14:03:05`. */
export function formatMoment(time: string): string {
  return new Date(time).toLocaleString('en-GB', {dateStyle: 'medium', timeStyle: 'medium'})
}

/** Durations and sizes as text for people. */
const units = [
  {unit: 'd', ms: 86_400_000},
  {unit: 'h', ms: 3_600_000},
  {unit: 'min', ms: 60_000},
] as const

/** `15 ms`, `1.2 s`, `3 min 5 s`, `4 d 2 h`: two units at the most. */
export function formatSpan(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${toTenth(ms / 1_000)} s`
  const at = units.findIndex((one) => ms >= one.ms)
  const {unit, ms: unitMs} = units[at] ?? units[2]
  const count = Math.floor(ms / unitMs)
  const {unit: smaller, ms: smallerMs} = units[at + 1] ?? {unit: 's', ms: 1_000}
  const rest = Math.floor((ms - count * unitMs) / smallerMs)
  return rest === 0 ? `${count} ${unit}` : `${count} ${unit} ${rest} ${smaller}`
}

/** `512 B`, `4.3 MiB`. */
export function formatBytes(bytes: number): string {
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = bytes < 1 ? 0 : Math.min(names.length - 1, Math.floor(Math.log2(bytes) / 10))
  return `${toTenth(bytes / 1024 ** power)} ${names[power]}`
}

function toTenth(value: number): string {
  return String(Math.floor(value * 10) / 10)
}

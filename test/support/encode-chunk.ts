/** The lines that a piece of output makes in a log (docs/log-format.md), written anew here: what the shim writes is held to it. */
import type {OutputChunk} from '../../src/stdio/streams.ts'

/** Longer lines are in parts. */
const longestPartBytes = 16 * 1024
const newline = 0x0a

/** All with the time at which it was read. */
export function encodeChunk({stream, atMs, bytes}: Pick<OutputChunk, 'stream' | 'atMs' | 'bytes'>): Buffer {
  const time = toLogTime(atMs)
  const full = Buffer.from(`${time} ${stream} F `)
  const part = Buffer.from(`${time} ${stream} P `)
  const end = Buffer.from('\n')
  const pieces: Uint8Array[] = []
  for (let from = 0; from < bytes.length; ) {
    const at = bytes.indexOf(newline, from)
    const lineEnd = at < 0 ? bytes.length : at
    if (lineEnd - from > longestPartBytes) {
      pieces.push(part, bytes.subarray(from, from + longestPartBytes), end)
      from += longestPartBytes
    } else {
      pieces.push(at < 0 ? part : full, bytes.subarray(from, lineEnd), end)
      from = lineEnd + 1
    }
  }
  return Buffer.concat(pieces)
}

/** `2026-01-02T03:04:05.123000000+01:00`: local time with its offset, and nine digits as the format demands. */
export function toLogTime(atMs: number): string {
  const offsetMinutes = -new Date(atMs).getTimezoneOffset()
  const local = new Date(atMs + offsetMinutes * 60_000).toISOString().slice(0, -1)
  const sign = offsetMinutes < 0 ? '-' : '+'
  const pad = (value: number) => String(value).padStart(2, '0')
  return `${local}000000${sign}${pad(Math.floor(Math.abs(offsetMinutes) / 60))}:${pad(Math.abs(offsetMinutes) % 60)}`
}

/**
 * The CRI log format, which collectors read: `<RFC 3339 nanoseconds> <stream> <F|P> <text>`. `F` ends with a newline of the
 * container's own, `P` does not, so that the very bytes come back (kubernetes, CRI logging format; conmon writes the same).
 */
import type {OutputChunk, StreamName} from './container-stdio.ts'

/** Longer lines are written in parts, as collectors expect (conmon's buffer is about as large). */
const longestPartBytes = 16 * 1024
const newline = 0x0a
const space = 0x20

export interface LogEntry {
  /** RFC 3339 with local offset, as written. */
  readonly time: string
  readonly stream: StreamName
  /** The very bytes that the container wrote, newline included. */
  readonly bytes: Buffer
}

/** The lines of the log for one chunk, all with the time at which it was read. */
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

/** @param line without its newline. @returns undefined for what is not a line of a CRI log. */
export function decodeLine(line: Buffer): LogEntry | undefined {
  const afterTime = line.indexOf(space)
  const afterStream = line.indexOf(space, afterTime + 1)
  const afterTag = line.indexOf(space, afterStream + 1)
  if (afterTime < 0 || afterStream < 0 || afterTag < 0) return undefined
  const stream = line.toString('latin1', afterTime + 1, afterStream)
  const tag = line.toString('latin1', afterStream + 1, afterTag)
  if ((stream !== 'stdout' && stream !== 'stderr') || (tag !== 'F' && tag !== 'P')) return undefined
  const text = line.subarray(afterTag + 1)
  return {time: line.toString('latin1', 0, afterTime), stream, bytes: tag === 'F' ? Buffer.concat([text, Buffer.from('\n')]) : text}
}

/** `2026-01-02T03:04:05.123000000+01:00`: local time with its offset, to the nanosecond as the format wants. */
export function toLogTime(atMs: number): string {
  const offsetMinutes = -new Date(atMs).getTimezoneOffset()
  const local = new Date(atMs + offsetMinutes * 60_000).toISOString().slice(0, -1)
  const sign = offsetMinutes < 0 ? '-' : '+'
  const pad = (value: number) => String(value).padStart(2, '0')
  return `${local}000000${sign}${pad(Math.floor(Math.abs(offsetMinutes) / 60))}:${pad(Math.abs(offsetMinutes) % 60)}`
}

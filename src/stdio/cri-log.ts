/**
 * The lines of a log: `<RFC 3339 nanoseconds> <stream> <F|P> <text>`, the CRI logging format, which collectors read. `F` stands for a line
 * that the container ended with a newline, `P` for one that it did not, so that the exact bytes can be read back. See docs/log-format.md.
 */
import type {OutputChunk, StreamName} from './streams.ts'

/** Longer lines are written in parts, as collectors expect. */
export const longestPartBytes = 16 * 1024
const newline = 0x0a
const space = 0x20

export interface LogEntry {
  /** RFC 3339 with local offset, as written. */
  readonly time: string
  readonly stream: StreamName
  /** The exact bytes that the container wrote, newline included. */
  readonly bytes: Buffer
}

/** The lines for one chunk, all with the time at which it was read. */
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

/** Where the parts of a line are: the time up to `timeEnd`, the text from `text`, followed by the container's newline if `isFull`. */
export interface LineParts {
  readonly stream: StreamName
  readonly isFull: boolean
  readonly timeEnd: number
  readonly text: number
}

const streamsAndTags = new Map<string, {readonly stream: StreamName; readonly isFull: boolean}>([
  [' stdout F ', {stream: 'stdout', isFull: true}],
  [' stdout P ', {stream: 'stdout', isFull: false}],
  [' stderr F ', {stream: 'stderr', isFull: true}],
  [' stderr P ', {stream: 'stderr', isFull: false}],
])
const streamAndTagBytes = ' stdout F '.length

/**
 * Copies nothing: a log can have millions of lines, and a reader wants a few.
 * @param line without its newline
 * @returns undefined when it is not a line of this format
 */
export function parseLine(line: Buffer): LineParts | undefined {
  const timeEnd = line.indexOf(space)
  const text = timeEnd + streamAndTagBytes
  const found = timeEnd < 0 || text > line.length ? undefined : streamsAndTags.get(line.toString('latin1', timeEnd, text))
  return found && {...found, timeEnd, text}
}

/** Where the text begins in each line of an encoded chunk: all lines have the same time and stream. */
export function textAt(encoded: Buffer): number {
  return encoded.indexOf(space) + streamAndTagBytes
}

/** How many bytes of output are in the line. */
export function countBytes(line: Buffer, {text, isFull}: LineParts): number {
  return line.length - text + (isFull ? 1 : 0)
}

export function toLogEntry(line: Buffer, {stream, timeEnd, text, isFull}: LineParts): LogEntry {
  const bytes = line.subarray(text)
  return {time: line.toString('latin1', 0, timeEnd), stream, bytes: isFull ? Buffer.concat([bytes, Buffer.from('\n')]) : bytes}
}

/** `2026-01-02T03:04:05.123000000+01:00`: local time with its offset, and nine digits as the format demands. */
export function toLogTime(atMs: number): string {
  const offsetMinutes = -new Date(atMs).getTimezoneOffset()
  const local = new Date(atMs + offsetMinutes * 60_000).toISOString().slice(0, -1)
  const sign = offsetMinutes < 0 ? '-' : '+'
  const pad = (value: number) => String(value).padStart(2, '0')
  return `${local}000000${sign}${pad(Math.floor(Math.abs(offsetMinutes) / 60))}:${pad(Math.abs(offsetMinutes) % 60)}`
}

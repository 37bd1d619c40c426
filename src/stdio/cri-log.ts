/**
 * The lines of a log: `<RFC 3339 nanoseconds> <stream> <F|P> <text>`, the CRI logging format, which collectors read. `F` stands for a line
 * that the container ended with a newline, `P` for one that it did not, so that the exact bytes can be read back. See docs/log-format.md.
 */
import type {StreamName} from './streams.ts'

const space = 0x20

export interface LogEntry {
  /** RFC 3339 with local offset, as written. */
  readonly time: string
  readonly stream: StreamName
  /** The exact bytes that the container wrote, newline included. */
  readonly bytes: Buffer
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

/** How many bytes of output are in the line. */
export function countBytes(line: Buffer, {text, isFull}: LineParts): number {
  return line.length - text + (isFull ? 1 : 0)
}

export function toLogEntry(line: Buffer, {stream, timeEnd, text, isFull}: LineParts): LogEntry {
  const bytes = line.subarray(text)
  return {time: line.toString('latin1', 0, timeEnd), stream, bytes: isFull ? Buffer.concat([bytes, Buffer.from('\n')]) : bytes}
}

/** Appending lines to one file of a log: all of them, or as many whole ones as the disk takes. */
import {ftruncateSync, writeSync} from 'node:fs'
import {countBytes, parseLine} from './cri-log.ts'
import type {LogPart} from './log-parts.ts'

export interface Appended {
  /** What is in the file now. */
  readonly written: LogPart
  /** Of what is not. */
  readonly rest: LogPart
  /** Why the disk would not take the rest; undefined when there is none. */
  readonly why: unknown
}

const newline = 0x0a

/** @param size of the file: nothing of a torn line is left behind it */
export function appendLines(fd: number, size: number, part: LogPart): Appended {
  const {count, why} = writeAll(fd, part.lines)
  if (why === undefined) return {written: part, rest: {...part, lines: Buffer.alloc(0), bytes: 0}, why}
  const written = toWholeLines(part.lines, count)
  // The next try writes the whole of the line that was torn.
  ftruncateSync(fd, size + written.lines.length)
  return {written, rest: {...part, lines: part.lines.subarray(written.lines.length), bytes: part.bytes - written.bytes}, why}
}

/** @returns how much the disk has taken, and why no more */
function writeAll(fd: number, bytes: Buffer): {readonly count: number; readonly why?: unknown} {
  let count = 0
  try {
    while (count < bytes.length) count += writeSync(fd, bytes, count)
    return {count}
  } catch (why) {
    return {count, why}
  }
}

/** Those of the lines that are within the first so many bytes. */
function toWholeLines(lines: Buffer, limitBytes: number): LogPart {
  const whole = lines.subarray(0, limitBytes === 0 ? 0 : lines.lastIndexOf(newline, limitBytes - 1) + 1)
  let bytes = 0
  let inLine = false
  for (let from = 0; from < whole.length; ) {
    const end = whole.indexOf(newline, from) + 1
    const line = whole.subarray(from, end - 1)
    const parts = parseLine(line)
    if (parts) bytes += countBytes(line, parts)
    inLine = parts?.isFull === false
    from = end
  }
  return {lines: whole, bytes, inLine}
}

/** Reading a container's log back. A torn last line, and what is not ours, is passed over. */
import {closeSync, constants, fstatSync, openSync} from 'node:fs'
import {readLines} from '../kernel/lines.ts'
import type {StreamName} from './container-stdio.ts'
import {countBytes, type LineParts, type LogEntry, parseLine, toLogEntry} from './cri-log.ts'

/** A line of the log as it was read; the buffer is not kept. */
export interface LogLine extends LineParts {
  readonly line: Buffer
  /** File position behind it. */
  readonly end: number
}

/** Whole lines from a file position to the present end. */
export function* readLogLines(fd: number, position = 0): Generator<LogLine> {
  for (const {bytes, complete, end} of readLines(fd, position, fstatSync(fd).size)) {
    const parts = complete ? parseLine(bytes) : undefined
    if (parts) yield {...parts, line: bytes, end}
  }
}

export interface OutputReader {
  /** Up to `limitBytes` of a stream's own bytes from `offset`; empty at its present end. */
  read(stream: StreamName, offset: number, limitBytes: number): Buffer
}

/** A place in the log, and how many bytes of one stream come before it. */
interface Place {
  readonly position: number
  readonly offset: number
}

/** Serves clients that missed something. Remembers where the last read of each stream ended, since the next is likely to follow. */
export function createOutputReader(path: string): OutputReader {
  const last: Record<StreamName, Place> = {stdout: {position: 0, offset: 0}, stderr: {position: 0, offset: 0}}
  return {
    read: (stream, offset, limitBytes) => {
      using log = openLog(path)
      let {position, offset: before} = last[stream].offset <= offset ? last[stream] : {position: 0, offset: 0}
      const bytes = Buffer.alloc(limitBytes)
      let gathered = 0
      for (const entry of readLogLines(log.fd, position)) {
        if (gathered === limitBytes) break
        if (entry.stream === stream) {
          const count = countBytes(entry.line, entry)
          gathered += copyText(entry, Math.max(0, offset - before), bytes, gathered)
          // The line is done with when nothing of it is left for the next read.
          if (before + count > offset + gathered) break
          before += count
        }
        position = entry.end
      }
      last[stream] = {position, offset: before}
      return bytes.subarray(0, gathered)
    },
  }
}

/** As much as fits, from the `skip`th byte on. @returns how many */
function copyText({line, text, isFull}: LogLine, skip: number, target: Buffer, at: number): number {
  const copied = text + skip < line.length ? line.copy(target, at, text + skip) : 0
  const hasNewline = isFull && skip <= line.length - text && text + skip + copied === line.length && at + copied < target.length
  if (hasNewline) target[at + copied] = newline
  return copied + (hasNewline ? 1 : 0)
}

const newline = 0x0a

export interface LogPage {
  readonly entries: readonly LogEntry[]
  /** File position behind the last. */
  readonly next: number
  readonly atEnd: boolean
}

/** Entries from a file position: about `limitBytes` of the file, and at least one where there is one. */
export function readLogPage(path: string, position: number, limitBytes: number): LogPage {
  using log = openLog(path)
  let next = position
  const entries: LogEntry[] = []
  for (const entry of readLogLines(log.fd, position)) {
    if (next > position && entry.end - position > limitBytes) return {entries, next, atEnd: false}
    entries.push(toLogEntry(entry.line, entry))
    next = entry.end
  }
  return {entries, next, atEnd: true}
}

/** The file position of the last `count` lines of output: a line in parts counts once. */
export function findTail(path: string, count: number): number {
  using log = openLog(path)
  // Where each of the last `count` lines begins; the oldest is overwritten.
  const starts: number[] = []
  const begins = {stdout: true, stderr: true}
  let position = 0
  let lines = 0
  for (const {stream, isFull, end} of readLogLines(log.fd)) {
    if (begins[stream]) starts[lines++ % (count + 1)] = position
    begins[stream] = isFull
    position = end
  }
  if (count === 0) return position
  return lines <= count ? 0 : (starts[(lines - count) % (count + 1)] ?? 0)
}

/** A container that is being made has no log yet: that is an empty one. */
function openLog(path: string): Disposable & {readonly fd: number} {
  const fd = openIfThere(path)
  return {fd, [Symbol.dispose]: () => closeSync(fd)}
}

function openIfThere(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return openSync('/dev/null', constants.O_RDONLY)
    throw error
  }
}

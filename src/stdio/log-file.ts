/**
 * Reading a container's log back, over all its files: positions are bytes of log since create, those included whose file has
 * been dropped. A torn last line, and what is not ours, is passed over.
 */
import {closeSync, constants, fstatSync, openSync} from 'node:fs'
import {isMissing} from '../kernel/files.ts'
import {readLines} from '../kernel/lines.ts'
import type {StreamName} from './streams.ts'
import {listSegments} from './log-segments.ts'
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

/** Whole lines of a log from a position, or from where it begins now, with positions since create. */
export function* readLog(path: string, position = 0): Generator<LogLine> {
  for (const segment of listSegments(path)) {
    using log = openLog(segment.path)
    const {position: begin} = segment.begin
    if (begin + fstatSync(log.fd).size <= position) continue
    for (const line of readLogLines(log.fd, Math.max(0, position - begin))) yield {...line, end: begin + line.end}
  }
}

export interface OutputReader {
  /**
   * Up to `limitBytes` of a stream's own bytes from `offset`; empty at its present end. What has been dropped with an old file
   * is passed over: the answer says where it begins.
   */
  read(stream: StreamName, offset: number, limitBytes: number): {readonly offset: number; readonly bytes: Buffer}
}

/** A place in the log, and how many bytes of one stream come before it. */
interface StreamPlace {
  readonly position: number
  readonly offset: number
}

/** Serves clients that missed something. Remembers where the last read of each stream ended, since the next is likely to follow. */
export function createOutputReader(path: string): OutputReader {
  const last: Record<StreamName, StreamPlace> = {stdout: {position: 0, offset: 0}, stderr: {position: 0, offset: 0}}
  return {
    read: (stream, wanted, limitBytes) => {
      const begin = findBegin(path, stream, wanted, last[stream])
      const offset = Math.max(wanted, begin.offset)
      let {position, offset: before} = begin
      const bytes = Buffer.alloc(limitBytes)
      let gathered = 0
      for (const entry of readLog(path, position)) {
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
      return {offset, bytes: bytes.subarray(0, gathered)}
    },
  }
}

/** Where to begin to look for an offset: where the last read ended, or the last file that begins before it, or the eldest. */
function findBegin(path: string, stream: StreamName, offset: number, last: StreamPlace): StreamPlace {
  const begins = listSegments(path).map(({begin}) => ({position: begin.position, offset: begin[stream]}))
  const eldest = begins[0] ?? {position: 0, offset: 0}
  const known = last.position >= eldest.position && last.offset <= offset ? [last] : []
  const before = [...begins.filter((begin) => begin.offset <= offset), ...known].sort((a, b) => a.position - b.position)
  return before.at(-1) ?? eldest
}

/** As much as fits, from the `skip`th byte on. @returns how many */
function copyText({line, text, isFull}: LogLine, skip: number, target: Buffer, at: number): number {
  const copied = text + skip < line.length ? line.copy(target, at, text + skip) : 0
  const hasNewline = isFull && skip <= line.length - text && text + skip + copied === line.length && at + copied < target.length
  if (hasNewline) target[at + copied] = newline
  return copied + (hasNewline ? 1 : 0)
}

const newline = 0x0a

export interface PagedEntry extends LogEntry {
  /** The position behind it. */
  readonly next: number
}

export interface LogPage {
  /** Where it begins: behind what was wanted, when that has been dropped. */
  readonly position: number
  readonly entries: readonly PagedEntry[]
  /** Behind the last. */
  readonly next: number
  readonly atEnd: boolean
}

/** Entries from a position: about `limitBytes` of the log, and at least one where there is one. */
export function readLogPage(path: string, wanted: number, limitBytes: number): LogPage {
  const position = Math.max(wanted, listSegments(path)[0]?.begin.position ?? 0)
  let next = position
  const entries: PagedEntry[] = []
  for (const entry of readLog(path, position)) {
    if (next > position && entry.end - position > limitBytes) return {position, entries, next, atEnd: false}
    entries.push({...toLogEntry(entry.line, entry), next: entry.end})
    next = entry.end
  }
  return {position, entries, next, atEnd: true}
}

/** Behind the last line, or the beginning of one. */
export function findEnd(path: string): number {
  const segment = listSegments(path).at(-1)
  if (!segment) return 0
  using log = openLog(segment.path)
  return segment.begin.position + fstatSync(log.fd).size
}

const firstWindowBytes = 64 * 1024

/** The position of the last `count` lines of output: a line in parts counts once. Reads no more of the end than it takes. */
export function findTail(path: string, count: number, windowBytes = firstWindowBytes): number {
  const eldest = listSegments(path)[0]?.begin.position ?? 0
  const end = findEnd(path)
  for (let window = windowBytes; end - window > eldest; window *= 4) {
    const position = findTailFrom(path, end - window, count)
    if (position !== undefined) return position
  }
  return findTailFrom(path, eldest, count, true) ?? eldest
}

/**
 * @param isLineStart whether `from` is known to begin a line of both streams; otherwise it may be anywhere
 * @returns undefined when it takes more of the log to know
 */
function findTailFrom(path: string, from: number, count: number, isLineStart = false): number | undefined {
  // Where each of the last `count` lines begins; the oldest is overwritten.
  const starts: number[] = []
  const begins: Record<StreamName, boolean | undefined> = {
    stdout: isLineStart || undefined,
    stderr: isLineStart || undefined,
  }
  let position = from
  let lines = 0
  let unknown = -1
  let isCut = !isLineStart
  for (const {stream, isFull, end} of readLog(path, from)) {
    // What comes first may be the rest of a line.
    if (!isCut) {
      if (begins[stream] === undefined) unknown = position
      if (begins[stream]) starts[lines++ % (count + 1)] = position
      begins[stream] = isFull
    }
    isCut = false
    position = end
  }
  if (count === 0) return isCut ? undefined : position
  const start = lines < count ? undefined : starts[(lines - count) % (count + 1)]
  return start !== undefined && start > unknown ? start : undefined
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
    if (isMissing(error)) return openSync('/dev/null', constants.O_RDONLY)
    throw error
  }
}

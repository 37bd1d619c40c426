/** Reading a container's log back. */
import {closeSync, constants, fstatSync, openSync} from 'node:fs'
import {readLines} from '../kernel/lines.ts'
import type {StreamName} from './container-stdio.ts'
import {decodeLine, type LogEntry} from './cri-log.ts'

/** A place in the log: where in the file, and how many bytes of each stream come before. */
export interface LogPosition {
  readonly file: number
  readonly streams: Readonly<Record<StreamName, number>>
}

export const logStart: LogPosition = {file: 0, streams: {stdout: 0, stderr: 0}}

export interface PositionedEntry extends LogEntry {
  /** Behind the entry. */
  readonly end: LogPosition
}

/** Whole entries from `start` to the present end; a torn last one, and what is not ours, is passed over. */
export function* readLogEntries(fd: number, start: LogPosition = logStart): Generator<PositionedEntry> {
  let streams = start.streams
  for (const line of readLines(fd, start.file, fstatSync(fd).size)) {
    const entry = line.complete ? decodeLine(line.bytes) : undefined
    if (!entry) continue
    streams = {...streams, [entry.stream]: streams[entry.stream] + entry.bytes.length}
    yield {...entry, end: {file: line.end, streams}}
  }
}

/** A container that is being made has no log yet: that is an empty one. */
function openLog(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return openSync('/dev/null', constants.O_RDONLY)
    throw error
  }
}

export interface OutputReader {
  /** Up to `limitBytes` of a stream's own bytes from `offset`; empty at its present end. */
  read(stream: StreamName, offset: number, limitBytes: number): Buffer
}

/** Serves clients that missed something. Remembers where the last read of each stream ended, since the next is likely to follow. */
export function createOutputReader(path: string): OutputReader {
  const last: Record<StreamName, LogPosition> = {stdout: logStart, stderr: logStart}
  return {
    read: (stream, offset, limitBytes) => {
      const start = last[stream].streams[stream] <= offset ? last[stream] : logStart
      const fd = openLog(path)
      try {
        const pieces: Buffer[] = []
        let gathered = 0
        let before = start
        for (const entry of readLogEntries(fd, start)) {
          if (gathered >= limitBytes) break
          const skip = Math.max(0, offset - before.streams[stream])
          if (entry.stream === stream && skip < entry.bytes.length) {
            const piece = entry.bytes.subarray(skip, skip + limitBytes - gathered)
            pieces.push(piece)
            gathered += piece.length
          }
          if (entry.end.streams[stream] <= offset + gathered) last[stream] = entry.end
          before = entry.end
        }
        return Buffer.concat(pieces)
      } finally {
        closeSync(fd)
      }
    },
  }
}

export interface LogPage {
  readonly entries: readonly LogEntry[]
  /** File position behind the last. */
  readonly next: number
  readonly atEnd: boolean
}

/** Entries from a file position: about `limitBytes` of the file, and at least one where there is one. */
export function readLogPage(path: string, position: number, limitBytes: number): LogPage {
  const fd = openLog(path)
  try {
    let next = position
    const entries: LogEntry[] = []
    for (const {end, ...entry} of readLogEntries(fd, {...logStart, file: position})) {
      if (next > position && end.file - position > limitBytes) return {entries, next, atEnd: false}
      entries.push(entry)
      next = end.file
    }
    return {entries, next, atEnd: true}
  } finally {
    closeSync(fd)
  }
}

/** The file position of the last `count` lines of output: a line in parts counts once. */
export function findTail(path: string, count: number): number {
  const fd = openLog(path)
  try {
    // Where each of the last `count` lines begins; the oldest is overwritten.
    const starts: number[] = []
    const begins = {stdout: true, stderr: true}
    let position = 0
    let line = 0
    for (const entry of readLogEntries(fd)) {
      if (begins[entry.stream]) starts[line++ % (count + 1)] = position
      begins[entry.stream] = entry.bytes.at(-1) === 0x0a
      position = entry.end.file
    }
    if (count === 0) return position
    return line <= count ? 0 : (starts[(line - count) % (count + 1)] ?? 0)
  } finally {
    closeSync(fd)
  }
}

/** Reading a container's log line by line, over all its files. docs/log-format.md says what a reader may rely on. */
import {fstatSync} from 'node:fs'
import {readLines} from '../kernel/lines.ts'
import {type LineParts, parseLine} from './cri-log.ts'
import {type OpenLog, openLog} from './log-segments.ts'

/** A line of the log as it was read. The buffer is used again for the next line. */
export interface LogLine extends LineParts {
  readonly line: Buffer
  /** The position behind it. */
  readonly end: number
}

/** Whole lines of one file, from a byte of it to its present end. A torn last line, and what is not a line of a CRI log, is passed over. */
export function* readLogLines(fd: number, position = 0): Generator<LogLine> {
  for (const {bytes, complete, end} of readLines(fd, position, fstatSync(fd).size)) {
    const parts = complete ? parseLine(bytes) : undefined
    if (parts) yield {...parts, line: bytes, end}
  }
}

/** Whole lines from a position, which counts bytes of log since create, or from where the log begins now. */
export function* readLog(path: string, position = 0): Generator<LogLine> {
  using log = openLog(path, position)
  yield* readOpenLog(log, position)
}

export function* readOpenLog({segments}: OpenLog, position: number): Generator<LogLine> {
  for (const {fd, begin} of segments)
    for (const line of readLogLines(fd, Math.max(0, position - begin.position))) yield {...line, end: begin.position + line.end}
}

/** The position where the log ends now: behind its last line, or within one that is being written. */
export function findEnd(path: string): number {
  using log = openLog(path, Number.POSITIVE_INFINITY)
  const last = log.segments.at(-1)
  return last ? last.begin.position + fstatSync(last.fd).size : 0
}

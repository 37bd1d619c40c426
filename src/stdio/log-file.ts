/** Reading a container's log line by line, over all its files. docs/log-format.md says what a reader may rely on. */
import {closeSync, constants, fstatSync, openSync} from 'node:fs'
import {isMissing} from '../kernel/files.ts'
import {readLines} from '../kernel/lines.ts'
import {type LineParts, parseLine} from './cri-log.ts'
import {listSegments} from './log-segments.ts'

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
  for (const segment of listSegments(path)) {
    using log = openLog(segment.path)
    const {position: begin} = segment.begin
    if (begin + fstatSync(log.fd).size <= position) continue
    for (const line of readLogLines(log.fd, Math.max(0, position - begin))) yield {...line, end: begin + line.end}
  }
}

/** The position where the log ends now: behind its last line, or within one that is being written. */
export function findEnd(path: string): number {
  const segment = listSegments(path).at(-1)
  if (!segment) return 0
  using log = openLog(segment.path)
  return segment.begin.position + fstatSync(log.fd).size
}

/** A container that is being created has no log yet: it counts as empty. */
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

/** The log in pages: entries of both streams from a position on. */
import {type LogEntry, toLogEntry} from './cri-log.ts'
import {readOpenLog} from './log-file.ts'
import {openLog, type Place} from './log-segments.ts'

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
  /** Where the log begins now. */
  readonly oldest: Place
}

/** Entries from a position: about `limitBytes` of the log, and at least one where there is one. */
export function readLogPage(path: string, wanted: number, limitBytes: number): LogPage {
  using log = openLog(path, wanted)
  const {oldest} = log
  const position = Math.max(wanted, oldest.position)
  let next = position
  const entries: PagedEntry[] = []
  for (const entry of readOpenLog(log, position)) {
    if (next > position && entry.end - position > limitBytes) return {position, entries, next, atEnd: false, oldest}
    entries.push({...toLogEntry(entry.line, entry), next: entry.end})
    next = entry.end
  }
  return {position, entries, next, atEnd: true, oldest}
}

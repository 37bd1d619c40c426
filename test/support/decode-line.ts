import {type LogEntry, parseLine, toLogEntry} from '../../src/stdio/cri-log.ts'

/** What a line of the log, without its newline, holds; undefined for what is not one. */
export function decodeLine(line: Buffer): LogEntry | undefined {
  const parts = parseLine(line)
  return parts && toLogEntry(line, parts)
}

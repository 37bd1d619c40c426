/** The bytes of one stream by their offset, out of the log: for clients that missed something. */
import type {StreamName} from '../../machines/schemas/streams.ts'
import {countBytes} from './cri-log.ts'
import {type LogLine, readOpenLog} from './log-file.ts'
import {listSegments, openLog} from './log-segments.ts'

export interface OutputReader {
  /**
   * Up to `limitBytes` of what the container wrote to a stream, from `offset` on; empty at its present end. What was dropped with an
   * old file is passed over: the result says where it begins.
   */
  read(stream: StreamName, offset: number, limitBytes: number): {readonly offset: number; readonly bytes: Buffer}
}

/** A place in the log, and how many bytes of one stream come before it. */
interface StreamPlace {
  readonly position: number
  readonly offset: number
}

/** Remembers where the last read of each stream ended, since the next is likely to follow it. */
export function createOutputReader(path: string): OutputReader {
  const last: Record<StreamName, StreamPlace> = {stdout: {position: 0, offset: 0}, stderr: {position: 0, offset: 0}}
  return {
    read: (stream, wanted, limitBytes) => {
      const known = findBegin(path, stream, wanted, last[stream])
      using log = openLog(path, known.position)
      // Dropped meanwhile.
      const begin = log.oldest.position > known.position ? {position: log.oldest.position, offset: log.oldest[stream]} : known
      const offset = Math.max(wanted, begin.offset)
      let {position, offset: before} = begin
      const bytes = Buffer.alloc(limitBytes)
      let gathered = 0
      for (const entry of readOpenLog(log, position)) {
        if (gathered === limitBytes) break
        if (entry.stream === stream) {
          const count = countBytes(entry.line, entry)
          gathered += copyText(entry, Math.max(0, offset - before), bytes, gathered)
          // A line of which something is left is where the next read begins.
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

/** Where to look for an offset: where the last read ended, at the last file that begins before it, or at the oldest. */
function findBegin(path: string, stream: StreamName, offset: number, last: StreamPlace): StreamPlace {
  const begins = listSegments(path).map(({begin}) => ({position: begin.position, offset: begin[stream]}))
  const oldest = begins[0] ?? {position: 0, offset: 0}
  const known = last.position >= oldest.position && last.offset <= offset ? [last] : []
  const before = [...begins.filter((begin) => begin.offset <= offset), ...known].sort((a, b) => a.position - b.position)
  return before.at(-1) ?? oldest
}

/** As much as fits, from the `skip`th byte on. @returns how many */
function copyText({line, text, isFull}: LogLine, skip: number, target: Buffer, at: number): number {
  const copied = text + skip < line.length ? line.copy(target, at, text + skip) : 0
  const hasNewline = isFull && skip <= line.length - text && text + skip + copied === line.length && at + copied < target.length
  if (hasNewline) target[at + copied] = newline
  return copied + (hasNewline ? 1 : 0)
}

const newline = 0x0a

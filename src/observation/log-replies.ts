/** Replies that are read from the log of a process: bytes of one stream by their offset, and entries by their position. */
import type {ContainerRequest} from '../../machines/commands/commands.ts'
import type {LogReply, OutputReply} from '../../machines/views/view.ts'
import {takePage, toBase64Room} from '../messaging/page.ts'
import {findEnd} from '../stdio/log-file.ts'
import {readLogPage} from '../stdio/log-page.ts'
import {findTail} from '../stdio/log-tail.ts'
import type {OutputReader} from '../stdio/output-reader.ts'

export interface OutputState {
  /** Bytes of the stream that is requested. */
  readonly total: number
  /** Nothing more will come. */
  readonly ended: boolean
  /** How many bytes the reply may have. */
  readonly room: number
}

/** @param toReader called only if there is something to read */
export function readOutput(
  {stream, offset, limitBytes}: Pick<ContainerRequest<'output'>, 'stream' | 'offset' | 'limitBytes'>,
  {total, ended, room}: OutputState,
  toReader: () => OutputReader,
): OutputReply {
  // A request that only renews a lease wants no bytes.
  if (offset >= total) return {offset, data: '', total, ended}
  const {offset: begin, bytes} = toReader().read(stream, offset, Math.min(limitBytes, toBase64Room(room)))
  return {offset: begin, data: bytes.toString('base64'), total, ended}
}

export function readLogEntries(
  path: string,
  {position, tail, limitBytes}: Pick<ContainerRequest<'log'>, 'position' | 'tail' | 'limitBytes'>,
  {ended, room}: Omit<OutputState, 'total'>,
): LogReply {
  const end = findEnd(path)
  const start = position ?? (tail === undefined ? 0 : findTail(path, tail))
  const {position: begin, entries: read, next: behind, atEnd} = readLogPage(path, start, limitBytes)
  const all = read.map(({time, stream, bytes, next}) => ({time, stream, data: bytes.toString('base64'), next}))
  const entries = [...takePage(all, {room})]
  const isAll = entries.length === all.length
  return {position: begin, entries, next: isAll ? behind : (entries.at(-1)?.next ?? behind), end, ended: ended && atEnd && isAll}
}

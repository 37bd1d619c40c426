/** Output of init or of an added process, by byte offset, and entries of its log, by file position. */
import type {LogReply, OutputReply} from '../../../machines/views/view.ts'
import type {ContainerLayout} from '../../layout/container-layout.ts'
import {takePage, toBase64Room} from '../../messaging/page.ts'
import type {Endpoint} from '../../messaging/services.ts'
import {findEnd} from '../../stdio/log-file.ts'
import {readLogPage} from '../../stdio/log-page.ts'
import {findTail} from '../../stdio/log-tail.ts'
import {createOutputReader, type OutputReader} from '../../stdio/output-reader.ts'
import type {Loop} from '../loop/loop.ts'
import type {Output} from '../output/output.ts'
import type {Outputs} from '../output/outputs.ts'
import type {ToEndpoint} from './command-endpoint.ts'
import {isToCome, unknownExec} from './replies.ts'

export interface OutputDependencies {
  readonly on: ToEndpoint
  readonly loop: Pick<Loop, 'ledger'>
  readonly outputs: Pick<Outputs, 'of'>
  readonly layout: ContainerLayout
}

export function createOutputEndpoints({on, loop, outputs, layout}: OutputDependencies): readonly Endpoint[] {
  /** By the output that they read: an exec id that is free again belongs to another process. */
  const readers = new WeakMap<Output, OutputReader>()
  return [
    on('output', async ({exec, stream, offset, holdMs, holdFrom, watchMs, reader, limitBytes}, _origin, {room}): Promise<OutputReply> => {
      assertKnown(exec)
      const output = outputs.of(exec)
      if (holdMs !== undefined) output.lease.take(holdMs, holdFrom)
      // Before `total` is read: what comes after it is published.
      output.interest.watch(watchMs, reader)
      const ended = hasEnded(output, exec)
      const total = output.totals[stream]
      // A request that only renews a lease wants no bytes.
      if (offset >= total) return {offset, data: '', total, ended}
      const {offset: begin, bytes} = toReader(output, exec).read(stream, offset, Math.min(limitBytes, toBase64Room(room)))
      return {offset: begin, data: bytes.toString('base64'), total, ended}
    }),
    on('log', async ({exec, position, tail, watchMs, reader, limitBytes}, _origin, {room}): Promise<LogReply> => {
      assertKnown(exec)
      const output = outputs.of(exec)
      // Before `end` is read: what comes after it is published.
      output.interest.watch(watchMs, reader)
      const ended = hasEnded(output, exec)
      const log = toLog(exec)
      const end = findEnd(log)
      const start = position ?? (tail === undefined ? 0 : findTail(log, tail))
      const {position: begin, entries: read, next: behind, atEnd} = readLogPage(log, start, limitBytes)
      const all = read.map(({time, stream, bytes, next}) => ({time, stream, data: bytes.toString('base64'), next}))
      const entries = [...takePage(all, {room})]
      const isAll = entries.length === all.length
      return {position: begin, entries, next: isAll ? behind : (entries.at(-1)?.next ?? behind), end, ended: ended && atEnd && isAll}
    }),
  ]

  /** @throws TallyError EXEC_NOT_FOUND */
  function assertKnown(exec: string | undefined): void {
    if (exec !== undefined && !loop.ledger.processes.has(exec)) throw unknownExec(exec)
  }

  function hasEnded(output: Output, exec: string | undefined): boolean {
    return output.ended && !isToCome(loop.ledger, exec)
  }

  function toReader(output: Output, exec: string | undefined): OutputReader {
    const reader = readers.get(output) ?? createOutputReader(toLog(exec))
    readers.set(output, reader)
    return reader
  }

  function toLog(exec: string | undefined): string {
    return exec === undefined ? layout.log : layout.exec(exec).log
  }
}

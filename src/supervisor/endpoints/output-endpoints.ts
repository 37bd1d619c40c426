/** Output of init or of an added process, by byte offset, and entries of its log, by file position. */
import type {LogReply, OutputReply} from '../../../machines/views/view.ts'
import type {ContainerLayout} from '../../layout/container-layout.ts'
import type {Endpoint} from '../../messaging/services.ts'
import {readLogEntries, readOutput} from '../../observation/log-replies.ts'
import {assertKnown, isToCome} from '../../observation/views.ts'
import {createOutputReader, type OutputReader} from '../../stdio/output-reader.ts'
import type {Loop} from '../loop/loop.ts'
import type {Output} from '../output/output.ts'
import type {Outputs} from '../output/outputs.ts'
import type {ToEndpoint} from './command-endpoint.ts'

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
    on('output', async ({exec, holdMs, holdFrom, watchMs, reader, ...wanted}, _origin, {room}): Promise<OutputReply> => {
      assertKnown(loop.ledger, exec)
      const output = outputs.of(exec)
      if (holdMs !== undefined) output.lease.take(holdMs, holdFrom)
      // Before `total` is read: what comes after it is published.
      output.interest.watch(watchMs, reader)
      const ended = hasEnded(output, exec)
      return readOutput(wanted, {total: output.totals[wanted.stream], ended, room}, () => toReader(output, exec))
    }),
    on('log', async ({exec, watchMs, reader, ...wanted}, _origin, {room}): Promise<LogReply> => {
      assertKnown(loop.ledger, exec)
      const output = outputs.of(exec)
      // Before `end` is read: what comes after it is published.
      output.interest.watch(watchMs, reader)
      return readLogEntries(toLog(exec), wanted, {ended: hasEnded(output, exec), room})
    }),
  ]

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

/** Output of init or of an added process, by byte offset, and entries of its log, by file position. */
import type {LogReply, OutputReply} from '../../../machines/views/view.ts'
import type {Clock} from '../../kernel/clock.ts'
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
  readonly clock: Pick<Clock, 'sleep'>
}

const lastOutputPatienceMs = 1_000

export function createOutputEndpoints({on, loop, outputs, layout, clock}: OutputDependencies): readonly Endpoint[] {
  /** By the output that they read: an exec id that is free again belongs to another process. */
  const readers = new WeakMap<Output, OutputReader>()
  return [
    on('output', async ({exec, holdMs, holdFrom, watchMs, reader, ...wanted}, _origin, {room}): Promise<OutputReply> => {
      assertKnown(loop.ledger, exec)
      const output = outputs.of(exec)
      if (holdMs !== undefined) output.lease.take(holdMs, holdFrom)
      // Before `total` is read: what comes after it is published.
      await output.watch(watchMs, reader)
      await settle(output, exec)
      const ended = hasEnded(output, exec)
      return readOutput(wanted, {total: output.totals[wanted.stream], ended, room}, () => toReader(output, exec))
    }),
    on('log', async ({exec, watchMs, reader, ...wanted}, _origin, {room}): Promise<LogReply> => {
      assertKnown(loop.ledger, exec)
      const output = outputs.of(exec)
      // Before `end` is read: what comes after it is published.
      await output.watch(watchMs, reader)
      await settle(output, exec)
      return readLogEntries(toLog(exec), wanted, {ended: hasEnded(output, exec), room})
    }),
  ]

  /** Whoever has seen the exit sees all of the output, unless the disk is full. */
  async function settle(output: Output, exec: string | undefined): Promise<void> {
    const {snapshot, processes} = loop.ledger
    const {exited} = exec === undefined ? snapshot.context : (processes.get(exec)?.context ?? {})
    if (!exited || isToCome(loop.ledger, exec)) return await output.refresh()
    await Promise.race([output.end().catch(() => {}), clock.sleep(lastOutputPatienceMs)])
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

/** Output and log of a container whose supervisor sleeps, from its log files. What would have to be published, or waited for, wakes it. */
import type {ContainerRequest} from '../../../machines/commands/commands.ts'
import type {Ledger} from '../../../machines/ledger/ledger.ts'
import type {LogReply, OutputReply} from '../../../machines/views/view.ts'
import type {ContainerLayout} from '../../layout/container-layout.ts'
import {isOutputComplete} from '../../layout/sleep-note.ts'
import {readLogEntries, readOutput} from '../../observation/log-replies.ts'
import {createOutputReaders} from '../../observation/output-readers.ts'
import {createLogTotals} from '../../observation/log-totals.ts'
import {assertKnown, isToCome} from '../../observation/views.ts'
import {needsSupervisor} from './stand-in.ts'

export interface Sleeper {
  readonly ledger: Ledger
  readonly layout: ContainerLayout
}

export interface LogReads {
  output(sleeper: Sleeper, request: ContainerRequest<'output'>, room: number): OutputReply | typeof needsSupervisor
  log(sleeper: Sleeper, request: ContainerRequest<'log'>, room: number): LogReply | typeof needsSupervisor
}

/** Of so many lines the whole log may have to be read, which is too much beside everything else that the coordinator does. */
const mostTailLines = 10_000

export function createLogReads(): LogReads {
  const totals = createLogTotals()
  const readers = createOutputReaders()
  return {
    output: (sleeper, {exec, holdMs, watchMs, ...wanted}, room) => {
      const ended = hasEnded(sleeper, exec)
      const count =
        isToBePublished({ended, watchMs}) || holdMs !== undefined ? undefined : totals.read(toKey(sleeper, exec), toLog(sleeper, exec))
      if (ended === 'unknown' || !count) return needsSupervisor
      const state = {total: count[wanted.stream], ended: ended === 'yes', room}
      return readOutput(wanted, state, () => readers.of(toKey(sleeper, exec), toLog(sleeper, exec)))
    },
    log: (sleeper, {exec, watchMs, ...wanted}, room) => {
      const ended = hasEnded(sleeper, exec)
      if (ended === 'unknown' || isToBePublished({ended, watchMs}) || (wanted.tail ?? 0) > mostTailLines) return needsSupervisor
      return readLogEntries(toLog(sleeper, exec), wanted, {ended: ended === 'yes', room})
    },
  }
}

/** While a process has output to come, it is published for whoever follows. */
function isToBePublished({ended, watchMs}: {readonly ended: 'yes' | 'no' | 'unknown'; readonly watchMs: number}): boolean {
  return watchMs > 0 && ended !== 'yes'
}

/** Unknown while output that has been written may be on its way to the log. @throws TallyError EXEC_NOT_FOUND */
function hasEnded({ledger, layout}: Sleeper, exec: string | undefined): 'yes' | 'no' | 'unknown' {
  assertKnown(ledger, exec)
  if (isLive(ledger, exec) || isToCome(ledger, exec)) return 'no'
  return isOutputComplete(layout, ledger) ? 'yes' : 'unknown'
}

function isLive({snapshot, processes}: Ledger, exec: string | undefined): boolean {
  const {process, exited} =
    exec === undefined ? {process: snapshot.context.init, exited: snapshot.context.exited} : (processes.get(exec)?.context ?? {})
  return process !== undefined && exited === undefined
}

function toLog({layout}: Sleeper, exec: string | undefined): string {
  return exec === undefined ? layout.log : layout.exec(exec).log
}

/** An exec id that is free again belongs to another process. */
function toKey({ledger}: Sleeper, exec: string | undefined): string {
  const addedAt = exec === undefined ? '' : ledger.processes.get(exec)?.context.addedAt
  return `${ledger.latest?.uid} ${exec} ${addedAt}`
}

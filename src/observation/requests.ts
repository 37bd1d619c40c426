/** Requests that only look: the state of a container, what it uses, and its processes. They change nothing, and wake nobody. */
import type {ContainerRequest} from '../../machines/commands/commands.ts'
import type {Ledger} from '../../machines/ledger/ledger.ts'
import type {TopReply} from '../../machines/views/top.ts'
import type {ContainerView, ProcessView} from '../../machines/views/view.ts'
import {listContainerProcesses, toTopReply} from './top.ts'
import {type Responder, toView, toViewFrom} from './views.ts'

/** @throws TallyError EXEC_NOT_FOUND */
export function readState(ledger: Ledger, {exec, execsFrom}: ContainerRequest<'state'>, responder: Responder): ContainerView | ProcessView {
  return execsFrom === undefined ? toView(ledger, exec, responder) : toViewFrom(ledger, execsFrom, responder)
}

/** @param room bytes of the reply */
export function readTop(ledger: Ledger, page: ContainerRequest<'top'>, room: number): TopReply {
  const {cgroups, init} = ledger.snapshot.context
  return toTopReply(listContainerProcesses({cgroups, initPid: init?.pid, execIds: toExecIds(ledger)}), page, room)
}

function toExecIds({processes}: Ledger): ReadonlyMap<number, string> {
  return new Map(
    [...processes].flatMap(([exec, {context}]) => (context.process && !context.exited ? [[context.process.pid, exec] as const] : [])),
  )
}

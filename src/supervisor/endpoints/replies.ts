/** Replies: the ledger as its supervisor shows it. */
import {toContainerView, toProcessView} from '../../../machines/views/container-view.ts'
import type {Ledger} from '../../../machines/ledger/ledger.ts'
import type {ContainerView, ProcessView} from '../../../machines/views/view.ts'
import {TallyError} from '../../kernel/errors.ts'

export function toOwnView(ledger: Ledger): ContainerView {
  const view = toContainerView(ledger, process.pid)
  if (!view) throw new TallyError('INTERNAL', 'the ledger of this container is empty')
  return view
}

export function toView(ledger: Ledger, exec: string | undefined): ContainerView | ProcessView {
  return exec === undefined ? toOwnView(ledger) : toExecView(ledger, exec)
}

/** Without the added processes that were added before this one. @throws TallyError EXEC_NOT_FOUND */
export function toViewFrom(ledger: Ledger, exec: string): ContainerView {
  const view = toOwnView(ledger)
  const first = view.execs?.findIndex((one) => one.exec === exec) ?? -1
  if (first < 0) throw unknownExec(exec)
  return {...view, execs: view.execs?.slice(first)}
}

/** @throws TallyError EXEC_NOT_FOUND */
export function toExecView(ledger: Ledger, exec: string): ProcessView {
  const process = ledger.processes.get(exec)
  const view = process && toProcessView(exec, process)
  if (!view) throw unknownExec(exec)
  return view
}

export function unknownExec(exec: string): TallyError {
  return new TallyError('EXEC_NOT_FOUND', `no process ${exec} was added to this container`, {details: {exec}})
}

export function toExecIds({processes}: Ledger): ReadonlyMap<number, string> {
  return new Map(
    [...processes].flatMap(([exec, {context}]) => (context.process && !context.exited ? [[context.process.pid, exec] as const] : [])),
  )
}

/** Whether a process that has no output yet will have some: it is added and not started, or the container is about to be made again. */
export function isToCome({snapshot, processes}: Ledger, exec: string | undefined): boolean {
  if (exec === undefined) return snapshot.matches('waiting') || snapshot.matches('creating') || snapshot.matches({stopped: 'rescheduling'})
  const state = processes.get(exec)?.value
  return state === 'created' || state === 'starting'
}

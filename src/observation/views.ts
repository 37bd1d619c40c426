/** What is shown of a container, from its ledger: the same by its supervisor, and by the coordinator while that sleeps. */
import type {Ledger} from '../../machines/ledger/ledger.ts'
import {toContainerView, toProcessView} from '../../machines/views/container-view.ts'
import type {ContainerView, ProcessView} from '../../machines/views/view.ts'
import {TallyError} from '../kernel/errors.ts'

/** Who answers: its supervisor, by pid, or somebody else. */
export interface Responder {
  readonly supervisorPid: number | undefined
}

export function toWholeView(ledger: Ledger, {supervisorPid}: Responder): ContainerView {
  const view = toContainerView(ledger, supervisorPid)
  if (!view) throw new TallyError('INTERNAL', 'the ledger of this container is empty')
  return view
}

/** @throws TallyError EXEC_NOT_FOUND */
export function toView(ledger: Ledger, exec: string | undefined, responder: Responder): ContainerView | ProcessView {
  return exec === undefined ? toWholeView(ledger, responder) : toExecView(ledger, exec)
}

/** Without the added processes that were added before this one. @throws TallyError EXEC_NOT_FOUND */
export function toViewFrom(ledger: Ledger, exec: string, responder: Responder): ContainerView {
  const view = toWholeView(ledger, responder)
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

/** @throws TallyError EXEC_NOT_FOUND. @param exec undefined for init */
export function assertKnown({processes}: Ledger, exec: string | undefined): void {
  if (exec !== undefined && !processes.has(exec)) throw unknownExec(exec)
}

/** Whether a process that has no output yet will have some: it is added and not started, or the container is about to be made again. */
export function isToCome({snapshot, processes}: Ledger, exec: string | undefined): boolean {
  if (exec === undefined) return snapshot.matches('waiting') || snapshot.matches('creating') || snapshot.matches({stopped: 'rescheduling'})
  const state = processes.get(exec)?.value
  return state === 'created' || state === 'starting'
}

function unknownExec(exec: string): TallyError {
  return new TallyError('EXEC_NOT_FOUND', `no process ${exec} was added to this container`, {details: {exec}})
}

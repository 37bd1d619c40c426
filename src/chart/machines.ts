/** The machines that have a chart, by their names on the command line. */
import type {AnyStateMachine} from 'xstate'
import {containerMachine} from '../../machines/charts/container.machine.ts'
import {type LedgerEvent, isExecEvent} from '../../machines/ledger/events.ts'
import {processMachine} from '../../machines/charts/process.machine.ts'
import {supervisionMachine} from '../../machines/charts/supervision.machine.ts'
import {supervisorMachine} from '../../machines/charts/supervisor.machine.ts'

export const chartedMachines = {
  container: containerMachine,
  process: processMachine,
  supervisor: supervisorMachine,
  supervision: supervisionMachine,
} as const satisfies Readonly<Record<string, AnyStateMachine>>
export type MachineName = keyof typeof chartedMachines
export const machineNames = ['container', 'process', 'supervisor', 'supervision'] as const satisfies readonly MachineName[]

/** Whether an event belongs to the chart of the added process with that id. */
export function isOfProcess(event: LedgerEvent, exec: string): boolean {
  return isExecEvent(event) && event.data.exec === exec
}

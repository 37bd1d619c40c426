/** The machines whose charts the page shows. */
import type {AnyStateMachine} from 'xstate'
import {containerMachine} from '../../../../machines/charts/container.machine.ts'
import {processMachine} from '../../../../machines/charts/process.machine.ts'
import {supervisorMachine} from '../../../../machines/charts/supervisor.machine.ts'

export const chartNames = ['container', 'process', 'supervisor'] as const
export type ChartName = (typeof chartNames)[number]

export const chartMachines: Readonly<Record<ChartName, AnyStateMachine>> = {
  container: containerMachine,
  process: processMachine,
  supervisor: supervisorMachine,
}

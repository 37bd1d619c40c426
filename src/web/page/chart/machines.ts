/** The charts that the page shows. */
import type {AnyStateMachine} from 'xstate'
import {containerMachine} from '../../../../machines/container.machine.ts'
import {processMachine} from '../../../../machines/process.machine.ts'
import {supervisorMachine} from '../../../../machines/supervisor.machine.ts'

export const chartNames = ['container', 'process', 'supervisor'] as const
export type ChartName = (typeof chartNames)[number]

export const chartMachines: Readonly<Record<ChartName, AnyStateMachine>> = {
  container: containerMachine,
  process: processMachine,
  supervisor: supervisorMachine,
}

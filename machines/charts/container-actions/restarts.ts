/** How a container comes back: when, or that it does not, and how it is made again. */
import type {LedgerEvent} from '../../ledger/events.ts'
import {assertThere} from '../assert-there.ts'
import type {ContainerContext} from '../container-context.ts'
import {chart} from '../container-setup.ts'
import type {EffectParams} from '../effects.ts'
import {planRestart} from '../restart.ts'

/** The guard `comesBack` has planned the same. */
export const scheduleRestart = {
  type: 'restart.schedule',
  params: ({context}: {context: ContainerContext}): EffectParams['restart.schedule'] => {
    const plan = planRestart(context)
    const {attempt, delayMs} = assertThere(plan.type === 'schedule' ? plan : undefined)
    return {attempt, delayMs}
  },
} as const

/** The guard `isGivenUp` has planned the same. */
export const giveRestartsUp = {
  type: 'restart.give-up',
  params: ({context}: {context: ContainerContext}): EffectParams['restart.give-up'] => {
    const plan = planRestart(context)
    const {attempts} = assertThere(plan.type === 'give-up' ? plan : undefined)
    return {attempts}
  },
} as const

export const awaitRestart = [
  chart.assign(({event}) =>
    event.type === 'container.restart-scheduled'
      ? {attempt: event.data.attempt, restartDueAt: event.data.dueAt, restartBootDue: event.data.bootDue}
      : {},
  ),
  {
    type: 'timer.arm',
    params: ({event: {data}}: {event: LedgerEvent<'container.restart-scheduled'>}): EffectParams['timer.arm'] => ({
      timer: 'restart',
      dueAt: data.dueAt,
      ...(data.bootDue && {bootDue: data.bootDue}),
    }),
  },
] as const

export const beginRestart = [
  chart.assign(({context}) => ({
    restarts: context.restarts + 1,
    restartDueAt: undefined,
    restartBootDue: undefined,
    startedAt: undefined,
    startedBoot: undefined,
  })),
  {
    type: 'runtime.recreate',
    params: ({context}: {context: ContainerContext}): EffectParams['runtime.recreate'] => ({request: assertThere(context.request)}),
  },
] as const

export const cancelRestart = [
  chart.assign({isStopWanted: true, restartDueAt: undefined, restartBootDue: undefined}),
  {type: 'timer.cancel', params: {timer: 'restart'}},
] as const

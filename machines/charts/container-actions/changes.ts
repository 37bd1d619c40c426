/** What changes a container that lives: pauses, updates of its limits, and checkpoints. */
import type {LedgerEvent} from '../../ledger/events.ts'
import {chart} from '../container-setup.ts'
import type {EffectParams} from '../effects.ts'
import {copyState} from './creation.ts'
import {watchOom} from './watches.ts'

export const recordPaused = chart.assign(({event}) => ({pausedAt: event.time, error: undefined}))
export const recordResumed = chart.assign({pausedAt: undefined, error: undefined})
export const forgetPause = chart.assign({pausedAt: undefined})
/** A frozen process takes no signal, not even SIGKILL where cgroups are of version 1. */
export const thaw = {target: 'resuming', actions: {type: 'runtime.resume', params: {}}} as const

export const beginUpdate = [
  chart.assign(({event}) => (event.type === 'container.update-requested' ? {changing: event.data.limits} : {})),
  {
    type: 'runtime.update',
    params: ({event}: {event: LedgerEvent<'container.update-requested'>}): EffectParams['runtime.update'] => ({limits: event.data.limits}),
  },
] as const
export const endUpdate = [
  chart.assign(({context, event}) =>
    event.type === 'container.updated' ? {limits: {...context.limits, ...event.data.limits}, changing: undefined, error: undefined} : {},
  ),
  copyState,
  watchOom,
] as const
export const recordUnchanged = chart.assign({changing: undefined})

export const beginCheckpoint = {
  type: 'runtime.checkpoint',
  params: ({event}: {event: LedgerEvent<'container.checkpoint-requested'>}): EffectParams['runtime.checkpoint'] => ({
    checkpoint: event.data.checkpoint,
  }),
} as const
export const recordCheckpoint = chart.assign(({event}) =>
  event.type === 'container.checkpointed'
    ? {checkpoint: {...event.data, time: event.time}, error: undefined, ...(!event.data.leaveRunning && {isStopWanted: true})}
    : {},
)

/** What is recorded while a container is made and started, and the effects that do it. */
import type {LedgerEvent} from '../../ledger/events.ts'
import {toLimits} from '../../schemas/limits.ts'
import {assertThere} from '../assert-there.ts'
import type {ContainerContext} from '../container-context.ts'
import {chart} from '../container-setup.ts'
import type {EffectParams} from '../effects.ts'

export const recordRequest = chart.assign(({event}) =>
  event.type === 'container.create-requested'
    ? {
        request: event.data.request,
        requestedAt: event.time,
        consoleSize: event.data.request.consoleSize,
        limits: toLimits(event.data.request),
      }
    : {},
)

export const create = {
  type: 'runtime.create',
  params: ({event}: {event: LedgerEvent<'container.create-requested'>}): EffectParams['runtime.create'] => ({request: event.data.request}),
} as const

/** What the container before it has left in memory is forgotten; its root file system, log and limits stay. */
export const recordCreated = chart.assign(({event}) =>
  event.type === 'container.created'
    ? {
        stdinClosed: false,
        oom: undefined,
        exited: undefined,
        health: undefined,
        isStopWanted: false,
        endRequest: undefined,
        ...event.data,
        createdAt: event.time,
        startedAt: undefined,
        startedBoot: undefined,
        error: undefined,
      }
    : {},
)

export const copyState = {type: 'runtime.copy-state', params: {}} as const

/** From the checkpoint that its create names. */
export const restore = {
  type: 'runtime.restore',
  params: ({context}: {context: ContainerContext}): EffectParams['runtime.restore'] => ({
    checkpoint: assertThere(context.request?.checkpoint),
  }),
} as const

export const recordStarted = chart.assign(({event}) => (event.type === 'container.started' ? toStarted(event) : {}))

function toStarted({time, data: {boot, ...process}}: LedgerEvent<'container.started'>) {
  return {...process, startedAt: time, startedBoot: boot, error: undefined}
}

/** Why what was asked for failed. */
export const recordFailure = chart.assign(({event}) => ('error' in event.data ? {error: event.data.error} : {}))

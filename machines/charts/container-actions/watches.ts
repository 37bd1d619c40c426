/** What watches a container while its init lives: its health check, and the count of kills because memory ran out. */
import {assertThere} from '../assert-there.ts'
import type {ContainerContext} from '../container-context.ts'
import {chart} from '../container-setup.ts'
import type {EffectParams} from '../effects.ts'

export const watchHealth = {
  type: 'health.watch',
  params: ({context}: {context: ContainerContext}): EffectParams['health.watch'] => ({
    check: assertThere(context.request?.healthCheck),
  }),
} as const
export const recordHealth = chart.assign(({event}) =>
  event.type === 'container.health-changed' ? {health: {...event.data, time: event.time}} : {},
)
export const forgetHealth = chart.assign({health: undefined})

/** Begins, and again when its limits have changed. */
export const watchOom = {
  type: 'oom.watch',
  params: ({context}: {context: ContainerContext}): EffectParams['oom.watch'] => ({
    init: assertThere(context.init),
    cgroups: context.cgroups,
    known: context.oom?.killed ?? 0,
  }),
} as const
export const recordOom = chart.assign(({event}) => (event.type === 'container.oom' ? {oom: event.data} : {}))

/** Init has ended. */
export const endWatches = [
  {type: 'oom.end', params: {}},
  {type: 'health.end', params: {}},
] as const

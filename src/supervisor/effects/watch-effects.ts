/** The effects that begin and end watching the container while it runs: its health checks, and kills because memory ran out. */
import type {EffectDependencies} from './effect-dependencies.ts'
import type {Family} from './handlers.ts'

export function createWatchEffects({
  oom,
  health,
}: Pick<EffectDependencies, 'oom' | 'health'>): Family<'oom.watch' | 'oom.end' | 'health.watch' | 'health.end'> {
  return {
    'oom.watch': async ({init, cgroups, known}) => {
      oom.watch(init, cgroups, known)
      return undefined
    },

    'oom.end': async () => {
      oom.end()
      return undefined
    },

    'health.watch': async ({check}, {ledger}) => {
      health.watch(check, ledger)
      return undefined
    },

    'health.end': async () => {
      health.end()
      return undefined
    },
  }
}

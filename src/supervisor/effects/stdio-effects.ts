/** The effects on the input and the terminal of init. */
import type {EffectDependencies} from './effect-dependencies.ts'
import type {Family} from './handlers.ts'

export function createStdioEffects({outputs}: Pick<EffectDependencies, 'outputs'>): Family<'stdin.close' | 'terminal.resize'> {
  const output = outputs.of()

  return {
    'stdin.close': async () => {
      // What was written before goes first, for as long as its reader takes. A supervisor that fell asleep would forget the end. A process that
      // is deleted meanwhile has no input.
      await output.closeInput().catch(() => {})
      return undefined
    },

    'terminal.resize': async ({columns, rows}) => {
      await output.resize({columns, rows})
      return undefined
    },
  }
}

/** What an interpreter of effects has to have: one handler for each, no more and no less. */
import type {Draft} from '../../../machines/ledger/draft.ts'
import type {Effect, EffectType} from '../../../machines/charts/effects.ts'
import type {LedgerEvent} from '../../../machines/ledger/events.ts'

export type Handlers = {
  readonly [T in EffectType]: (effect: Extract<Effect, {readonly type: T}>, cause: LedgerEvent) => Promise<Draft | undefined>
}

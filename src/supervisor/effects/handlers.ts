import type {Effect, EffectType} from '../../../machines/charts/effects.ts'
import type {Draft} from '../../../machines/ledger/draft.ts'
import type {EffectCall} from './effect-call.ts'

export type Handler<T extends EffectType> = (effect: Extract<Effect, {readonly type: T}>, call: EffectCall) => Promise<Draft | undefined>

/** One for each effect. A family is a `Family<…>` of some of them. */
export type Handlers = {readonly [T in EffectType]: Handler<T>}
export type Family<T extends EffectType> = Pick<Handlers, T>

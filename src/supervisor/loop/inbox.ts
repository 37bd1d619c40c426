/**
 * Observers report facts here. The inbox exists before the loop, so that observers, which the effects of the loop start, can be made first.
 */
import type {Draft} from '../../../machines/ledger/draft.ts'
import type {LedgerEvent} from '../../../machines/ledger/events.ts'
import type {Origin} from './origin.ts'

/**
 * Reports a fact. Resolves with its event once journaled, or undefined when it came too late to matter.
 * @param origin what it follows from; without, the supervisor has observed it by itself
 */
export type Observe = (draft: Draft, origin?: Origin) => Promise<LedgerEvent | undefined>

export interface Inbox {
  readonly observe: Observe
  /** From now on facts are given to `take`, the earlier ones first. */
  connect(take: Observe): void
}

type Phase =
  | {readonly type: 'waiting'; readonly handovers: readonly ((take: Observe) => void)[]}
  | {readonly type: 'connected'; readonly take: Observe}

export function createInbox(): Inbox {
  let phase: Phase = {type: 'waiting', handovers: []}
  return {
    observe: (draft, origin) => {
      if (phase.type === 'connected') return phase.take(draft, origin)
      const {promise, resolve} = Promise.withResolvers<LedgerEvent | undefined>()
      phase = {type: 'waiting', handovers: [...phase.handovers, (take) => resolve(take(draft, origin))]}
      return promise
    },
    connect: (take) => {
      const handovers = phase.type === 'waiting' ? phase.handovers : []
      phase = {type: 'connected', take}
      for (const handOver of handovers) handOver(take)
    },
  }
}

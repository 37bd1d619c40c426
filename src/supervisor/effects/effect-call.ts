/** How the loop has an effect run: with what its handler needs to know of the ledger, and may do in the name of its cause. */
import type {Effect} from '../../../machines/charts/effects.ts'
import type {Command} from '../../../machines/commands/commands.ts'
import type {Draft} from '../../../machines/ledger/draft.ts'
import type {LedgerEvent} from '../../../machines/ledger/events.ts'
import type {Ledger} from '../../../machines/ledger/ledger.ts'

export interface EffectCall {
  /** The event that asked for the effect. What is observed or requested here follows from it, and says so. */
  readonly cause: LedgerEvent
  /** As it is at the time of the call: while an effect runs, the ledger goes on. */
  ledger(): Ledger
  /** Reports a fact that comes before the outcome, or long after it. Resolves as `Loop.observe`. */
  observe(draft: Draft): Promise<LedgerEvent | undefined>
  /** Asks for something in the supervisor's own name. Resolves and rejects as `Loop.submit`. */
  request(command: Command): Promise<Ledger>
  /** Resolves once init has exited, at once if it had. */
  waitForExit(): Promise<unknown>
}

/** What became of an effect: the event to journal, if any. Rejecting is a bug: failures are events as well. */
export type RunEffect = (effect: Effect, call: EffectCall) => Promise<Draft | undefined>

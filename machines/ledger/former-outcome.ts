/**
 * The outcome of a command that its caller sends a second time, because the reply to the first was lost, perhaps together with the
 * supervisor. The journal has the outcome; the command is found by
 * its actor and its correlation id, which serves as idempotency key.
 */
import type {CommandType} from '../commands/commands.ts'
import type {LedgerEvent} from './events.ts'
import {applyEvent, emptyLedger, type Ledger} from './ledger.ts'
import {type Outcome, toOutcome} from './outcome.ts'

export interface FormerCommand {
  readonly type: CommandType
  /** Undefined when the command is for init. */
  readonly exec: string | undefined
  readonly actor: string
  readonly correlationId: string
}

export interface FormerOutcome {
  readonly intentId: string
  readonly outcome: Outcome
  /** The state when the command was settled; the current state while it is pending. */
  readonly ledger: Ledger
}

/** @returns undefined when the command was never accepted */
export function findFormerOutcome(events: Iterable<LedgerEvent>, command: FormerCommand): FormerOutcome | undefined {
  const all = [...events]
  const intent = all.find((event) => isIntentOf(command, event))
  if (!intent) return undefined
  const intentId = `${intent.uid}:${intent.sequence}`
  let ledger = emptyLedger
  for (const event of all) {
    ;({ledger} = applyEvent(ledger, event))
    if (event.sequence < intent.sequence) continue
    const outcome = toOutcome(command.type, {intentId, exec: command.exec}, event, ledger)
    if (outcome.type !== 'pending') return {intentId, outcome, ledger}
  }
  return {intentId, outcome: {type: 'pending'}, ledger}
}

/** The event has no other cause than the request. One request can both add a process and start it. */
function isIntentOf({type, actor, correlationId}: FormerCommand, event: LedgerEvent): boolean {
  const isAsked = event.causationId === undefined && event.actor === actor && event.correlationId === correlationId
  return isAsked && (event.type === 'exec.added') === (type === 'exec')
}

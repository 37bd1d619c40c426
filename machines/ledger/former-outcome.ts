/**
 * The outcome of a command that is retried because its answer was lost, perhaps with the supervisor that was to give it. The journal has it,
 * under the idempotency key of the command.
 */
import type {CommandType} from '../commands/commands.ts'
import {toAcceptedCommands} from './accepted-command.ts'
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

function isIntentOf({type, actor, correlationId}: FormerCommand, event: LedgerEvent): boolean {
  return event.actor === actor && event.correlationId === correlationId && toAcceptedCommands(event).includes(type)
}

/**
 * What became of a command that is asked again, since its answer was lost: perhaps with the supervisor that was to give it. The journal has
 * it, under the name that its sender gave it.
 */
import type {CommandType} from '../commands/commands.ts'
import type {LedgerEvent} from './events.ts'
import {applyEvent, emptyLedger, type Ledger} from './ledger.ts'
import {type Outcome, toOutcome} from './outcome.ts'

export interface FormerCommand {
  readonly type: CommandType
  /** Undefined of one that is about init. */
  readonly exec: string | undefined
  readonly actor: string
  readonly correlationId: string
}

export interface FormerOutcome {
  readonly intentId: string
  readonly outcome: Outcome
  /** As it was when that was settled, or as it is. */
  readonly ledger: Ledger
}

/** @returns undefined when it was never accepted */
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

/** It followed from nothing but the request. One request can add a process and start it. */
function isIntentOf({type, actor, correlationId}: FormerCommand, event: LedgerEvent): boolean {
  const isAsked = event.causationId === undefined && event.actor === actor && event.correlationId === correlationId
  return isAsked && (event.type === 'exec.added') === (type === 'exec')
}

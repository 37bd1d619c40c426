/**
 * The requests of this container, and what each is answered with: the outcome that the ledger has of it. A retry is answered from memory,
 * or from the journal if a former supervisor accepted it. Under load many requests are retried every few seconds: that must not cost as many
 * readings of the journal.
 */
import type {Command, CommandType} from '../../../machines/commands/commands.ts'
import {toAcceptedCommands} from '../../../machines/ledger/accepted-command.ts'
import type {LedgerEvent} from '../../../machines/ledger/events.ts'
import {findFormerOutcome} from '../../../machines/ledger/former-outcome.ts'
import type {Ledger, ProcessSnapshot} from '../../../machines/ledger/ledger.ts'
import {type Outcome, toOutcome} from '../../../machines/ledger/outcome.ts'
import type {Journal} from '../../journal/journal.ts'
import {fromFailure, type TallyError} from '../../kernel/errors.ts'
import type {IdempotencyKey} from '../../requests/idempotency-key.ts'
import {createRequestRegister, type Ticket} from '../../requests/request-register.ts'
import type {Intent} from '../../requests/request-state.ts'
import {type Origin, toEventId} from './origin.ts'

/** Longer than any client waits for an answer. */
const rememberMs = 60 * 60_000

export interface Answer {
  readonly resolve: (ledger: Ledger) => void
  readonly reject: (error: TallyError) => void
}

/** What an answer has to say. */
export interface Question {
  readonly command: CommandType | 'wait'
  /** Undefined of one that is about init. */
  readonly exec: string | undefined
}

export interface PendingRequests {
  /** Takes an event of the journal that a former supervisor has written; in their order. */
  recall(event: LedgerEvent): void
  /** A request that cannot be decided yet. */
  queue(question: Question, origin: Origin, answer: Answer): Ticket
  /** @returns whether it is known, and answered now or with those who wait; false for one that is to be decided as a new one */
  retry(question: Question, origin: Origin, answer: Answer, ledger: Ledger): boolean
  /** One that waits for an exit. It leaves no event, and cannot be retried. */
  wait(exec: string | undefined, answer: Answer): Ticket
  /** It waits for the outcome of what is under way already. */
  join(ticket: Ticket): void
  accept(ticket: Ticket, event: LedgerEvent): void
  /** Answers those whose outcome the event is. */
  settle(event: LedgerEvent, ledger: Ledger): void
  /** The outcome of an intent cannot be written now: whoever waits for it gets the error, and may retry. */
  disappoint(intentId: string, error: TallyError): void
  /** It is not accepted, or waited for no more. @returns whom to answer */
  withdraw(ticket: Ticket): readonly Answer[]
}

export interface PendingRequestsOptions {
  readonly journal: Pick<Journal, 'read'>
  /** Resolves when what is in the journal now is durable. */
  readonly durable: () => Promise<void>
}

interface Settlement {
  readonly outcome: Exclude<Outcome, {readonly type: 'pending'}>
  /** Of a request about an added process, as it was then: it may have been removed since. */
  readonly process: ProcessSnapshot | undefined
}

export function createPendingRequests({journal, durable}: PendingRequestsOptions): PendingRequests {
  const register = createRequestRegister<Question, Answer, Settlement>({rememberMs})
  return {
    recall: (event) => {
      const {actor, correlationId, data} = event
      const exec = 'exec' in data ? data.exec : undefined
      for (const command of toAcceptedCommands(event)) register.recall({command, exec}, {actor, correlationId, command}, toIntent(event))
    },
    queue: (question, origin, answer) => register.queue(question, toKey(question, origin), answer),
    retry: (question, origin, answer, ledger) => {
      const key = toKey(question, origin)
      const known = key && register.find(key)
      if (!known) return false
      const {ticket, state} = known
      if (state.type === 'settled') tell(state.settlement, [answer], withProcess(ledger, question.exec, state.settlement.process))
      else if (state.type === 'accepted' && state.waiters.length === 0) {
        const settlement = readSettlement(question, key, state.intent, ledger)
        if (settlement) {
          register.settle(ticket, settlement)
          tell(settlement, [answer], withProcess(ledger, question.exec, settlement.process))
        } else register.addWaiter(ticket, answer)
      } else register.addWaiter(ticket, answer)
      return true
    },
    wait: (exec, answer) => {
      const ticket = register.queue({command: 'wait', exec}, undefined, answer)
      register.join(ticket)
      return ticket
    },
    join: register.join,
    accept: (ticket, event) => register.accept(ticket, toIntent(event)),
    settle: (event, ledger) => {
      for (const {ticket, question, state} of register.pending) {
        const {command, exec} = question
        const outcome = toOutcome(command, {intentId: state.type === 'accepted' ? state.intent.eventId : undefined, exec}, event, ledger)
        if (outcome.type === 'pending') continue
        const settlement = {outcome, process: toProcess(ledger, exec)}
        tell(settlement, register.settle(ticket, settlement), ledger)
      }
    },
    disappoint: (intentId, error) => {
      for (const {reject} of register.dismissWaiters(intentId)) reject(error)
    },
    withdraw: register.withdraw,
  }

  /** Of a request that a former supervisor has accepted: from there on, since folding a long journal takes seconds. */
  function readSettlement(
    {command, exec}: Question,
    {actor, correlationId}: IdempotencyKey,
    {eventId, sequence}: Intent,
    ledger: Ledger,
  ): Settlement | undefined {
    for (const event of journal.read(sequence - 1)) {
      const outcome = toOutcome(command, {intentId: eventId, exec}, event, ledger)
      if (outcome.type === 'pending') continue
      const process = toProcess(ledger, exec)
      if (exec === undefined || process || command === 'wait') return {outcome, process}
      const former = findFormerOutcome(journal.read(), {actor, correlationId, type: command, exec})
      return {outcome, process: former && toProcess(former.ledger, exec)}
    }
    return undefined
  }

  function tell({outcome}: Settlement, answers: readonly Answer[], ledger: Ledger): void {
    for (const {resolve, reject} of answers)
      durable().then(() => {
        if (outcome.type === 'failed') reject(fromFailure(outcome.error))
        else resolve(ledger)
      })
  }
}

export function toQuestion(command: Command): Question {
  return {command: command.type, exec: 'exec' in command ? command.exec : undefined}
}

/** Undefined of what no client retries: a wait, and a request that the supervisor makes because of an event. */
function toKey({command}: Question, {actor, correlationId, causationId}: Origin): IdempotencyKey | undefined {
  return command === 'wait' || causationId !== undefined ? undefined : {actor, correlationId, command}
}

function toIntent(event: LedgerEvent): Intent {
  return {eventId: toEventId(event), sequence: event.sequence, atMs: Date.parse(event.time)}
}

function toProcess({processes}: Ledger, exec: string | undefined): ProcessSnapshot | undefined {
  return exec === undefined ? undefined : processes.get(exec)
}

/** As it is now, with a process that it may no longer have. */
function withProcess(ledger: Ledger, exec: string | undefined, process: ProcessSnapshot | undefined): Ledger {
  if (exec === undefined || !process || ledger.processes.has(exec)) return ledger
  return {...ledger, processes: new Map([...ledger.processes, [exec, process]])}
}

/**
 * Who has asked for what, and what came of it. A command that is asked again, since its answer was late or lost, is found here under the
 * name that its sender gave it, and is not carried out twice (docs/adr/0021). Under load many are asked again together, every few seconds:
 * that must not cost as many readings of the journal.
 */
import type {CommandType} from '../../../machines/commands/commands.ts'
import type {LedgerEvent} from '../../../machines/ledger/events.ts'
import {findFormerOutcome} from '../../../machines/ledger/former-outcome.ts'
import type {Ledger, ProcessSnapshot} from '../../../machines/ledger/ledger.ts'
import {type Outcome, toOutcome} from '../../../machines/ledger/outcome.ts'
import type {Journal} from '../../journal/journal.ts'
import {fromFailure, type TallyError} from '../../kernel/errors.ts'

/** Longer than anybody waits for an answer. */
const keepMs = 60 * 60_000

export interface Answer {
  readonly resolve: (ledger: Ledger) => void
  readonly reject: (error: TallyError) => void
}

/** What is asked. */
export interface Question {
  readonly command: CommandType | 'wait'
  /** Undefined of one that is about init. */
  readonly exec: string | undefined
  /** Undefined of one that cannot be asked again. */
  readonly name: CommandName | undefined
}

/** By whom it is asked, and which of his commands it is. */
export interface CommandName {
  readonly actor: string
  readonly correlationId: string
}

export interface PendingRequests {
  /** Takes each event of the journal, in its order; the ledger is told of it by `settle`. */
  note(event: LedgerEvent): void
  /**
   * @param intentId of the event that the question has become; undefined when it waits for what another has asked for
   * @returns how to give up
   */
  add(question: Question, intentId: string | undefined, answer: Answer): () => void
  /**
   * @param ledger as it is now
   * @returns false when it has never been accepted, by this supervisor or by one before
   */
  addAgain(question: Question, answer: Answer, ledger: Ledger): boolean
  /** Answers those whose outcome the event is. */
  settle(event: LedgerEvent, ledger: Ledger): void
  /** What came of an intent cannot be written now: who waits for it is told, and may ask again. */
  disappoint(intentId: string, error: TallyError): void
}

export interface PendingRequestsOptions {
  readonly journal: Pick<Journal, 'read'>
  /** Resolves when what is in the journal now is durable. */
  readonly durable: () => Promise<void>
}

interface Waiting {
  readonly key: string | undefined
  readonly question: Question
  readonly intentId: string | undefined
  readonly answer: Answer
}

interface Accepted {
  readonly intentId: string
  readonly sequence: number
  readonly atMs: number
  /** Undefined until it is settled, and of one that a former supervisor has settled. */
  readonly settled: Settled | undefined
}

interface Settled {
  readonly outcome: Outcome
  /** Of one about an added process, as it was then: it may have been removed since. */
  readonly process: ProcessSnapshot | undefined
}

export function createPendingRequests({journal, durable}: PendingRequestsOptions): PendingRequests {
  let waiting: readonly Waiting[] = []
  /** In the order in which they were accepted. */
  const accepted = new Map<string, Accepted>()
  return {
    note: (event) => {
      // It followed from nothing but a request.
      if (event.causationId !== undefined) return
      const [key, atMs] = [toKey(event, event.type === 'exec.added'), Date.parse(event.time)]
      forgetBefore(atMs - keepMs)
      if (!accepted.has(key))
        accepted.set(key, {intentId: `${event.uid}:${event.sequence}`, sequence: event.sequence, atMs, settled: undefined})
    },
    add,
    addAgain: (question, answer, ledger) => {
      const key = toQuestionKey(question)
      const other = waiting.find((entry) => entry.key === key)
      const former = accepted.get(key ?? '')
      if (other) add(question, other.intentId, answer)
      else if (former) {
        const settled = former.settled ?? readSettled(question, former, ledger)
        if (settled.outcome.type === 'pending') add(question, former.intentId, answer)
        else tell(keep(question, settled), answer, withProcess(ledger, question.exec, settled.process))
      }
      return other !== undefined || former !== undefined
    },
    settle: (event, ledger) => {
      const still: Waiting[] = []
      for (const entry of waiting) {
        const {question, intentId, answer} = entry
        const outcome = toOutcome(question.command, {intentId, exec: question.exec}, event, ledger)
        if (outcome.type === 'pending') still.push(entry)
        else tell(keep(question, {outcome, process: toProcess(ledger, question.exec)}), answer, ledger)
      }
      waiting = still
    },
    disappoint: (intentId, error) => {
      const concerned = waiting.filter((entry) => entry.intentId === intentId)
      waiting = waiting.filter((entry) => !concerned.includes(entry))
      for (const {answer} of concerned) answer.reject(error)
    },
  }

  function add(question: Question, intentId: string | undefined, answer: Answer): () => void {
    const entry = {key: toQuestionKey(question), question, intentId, answer}
    waiting = [...waiting, entry]
    return () => {
      waiting = waiting.filter((other) => other !== entry)
    }
  }

  function keep(question: Question, settled: Settled): Settled {
    const key = toQuestionKey(question)
    const former = accepted.get(key ?? '')
    if (key !== undefined && former) accepted.set(key, {...former, settled})
    return settled
  }

  /** Of one that a former supervisor has accepted: from there on, since folding a long journal takes seconds. */
  function readSettled({command, exec, name}: Question, {intentId, sequence}: Accepted, ledger: Ledger): Settled {
    for (const event of journal.read(sequence - 1)) {
      const outcome = toOutcome(command, {intentId, exec}, event, ledger)
      if (outcome.type === 'pending') continue
      const process = toProcess(ledger, exec)
      if (exec === undefined || process || !name || command === 'wait') return {outcome, process}
      const former = findFormerOutcome(journal.read(), {...name, type: command, exec})
      return {outcome, process: former && toProcess(former.ledger, exec)}
    }
    return {outcome: {type: 'pending'}, process: undefined}
  }

  function tell({outcome}: Settled, {resolve, reject}: Answer, ledger: Ledger): void {
    durable().then(() => {
      if (outcome.type === 'failed') reject(fromFailure(outcome.error))
      else resolve(ledger)
    })
  }

  function forgetBefore(ms: number): void {
    for (const [key, {atMs}] of accepted) {
      if (atMs >= ms) return
      accepted.delete(key)
    }
  }
}

function toQuestionKey({command, name}: Question): string | undefined {
  return name && toKey(name, command === 'exec')
}

/** One request can add a process and start it. */
function toKey({actor, correlationId}: CommandName, addsProcess: boolean): string {
  return [addsProcess ? 'add' : 'do', actor, correlationId].join(' ')
}

function toProcess({processes}: Ledger, exec: string | undefined): ProcessSnapshot | undefined {
  return exec === undefined ? undefined : processes.get(exec)
}

/** As it is now, and a process that it may have no more. */
function withProcess(ledger: Ledger, exec: string | undefined, process: ProcessSnapshot | undefined): Ledger {
  if (exec === undefined || !process || ledger.processes.has(exec)) return ledger
  return {...ledger, processes: new Map([...ledger.processes, [exec, process]])}
}

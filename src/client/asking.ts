/** Where one request of the client stands, and how it goes on: pure. The same request is sent until it is answered or given up (docs/adr/0021). */
import {TallyError} from '../kernel/errors.ts'
import {type Absence, type Finding, judgeAbsence, notAbsent, type Surroundings} from './absence.ts'

export type Asking<T> =
  /** It is sent, and an answer is waited for. */
  | {readonly type: 'asking'; readonly progress: Progress}
  | {readonly type: 'waiting for a connection'; readonly progress: Progress}
  /** Nobody listens on its subject: is there a supervisor or a coordinator to wait for? */
  | {readonly type: 'nobody listens'; readonly progress: Progress}
  | {readonly type: 'waiting for a supervisor or coordinator'; readonly progress: Progress}
  | {readonly type: 'answered'; readonly reply: T}
  | {readonly type: 'given up'; readonly error: unknown}

export interface Progress {
  readonly patience: Patience
  /** Milliseconds on the clock of the caller. */
  readonly deadlineMs: number
  /** How often the request has been sent. */
  readonly attempts: number
  readonly absence: Absence
}

export interface Patience {
  /** In all. */
  readonly patienceMs: number
  /** For how long each attempt waits for an answer; the last stands for those after it as well. */
  readonly attemptMs?: readonly number[]
  /** It is not retried over another connection. */
  readonly once?: true
}

/** What an attempt came to. */
export type Attempted<T> =
  | {readonly type: 'answered'; readonly reply: T}
  | {readonly type: 'nobody listens'}
  | {readonly type: 'timed out'; readonly error: TallyError}
  | {readonly type: 'connection lost'; readonly error: TallyError}
  | {readonly type: 'failed'; readonly error: unknown}

/** A supervisor seldom dies, and often takes long. */
const usualAttemptMs: readonly number[] = [1_000, 2_000, 5_000]

export function begin(patience: Patience, nowMs: number): Asking<never> {
  return {type: 'asking', progress: {patience, deadlineMs: nowMs + patience.patienceMs, attempts: 0, absence: notAbsent}}
}

/** How long the next attempt may take. */
export function toTimeoutMs({patience, deadlineMs, attempts}: Progress, nowMs: number): number {
  const {patienceMs, attemptMs = usualAttemptMs} = patience
  const waitMs = attemptMs[Math.min(attempts, attemptMs.length - 1)] ?? patienceMs
  return Math.max(1, Math.min(waitMs, Math.ceil(deadlineMs - nowMs)))
}

/** Before a request is sent again that nobody listened to. Many may wait for the same supervisor, which the coordinator has to start. */
export function toPollMs({attempts}: Progress): number {
  return Math.min(1_000, 100 * 1.5 ** (attempts - 1))
}

export function afterAttempt<T>(before: Progress, attempted: Attempted<T>, nowMs: number): Asking<T> {
  const progress = {...before, attempts: before.attempts + 1}
  const {patience, deadlineMs} = progress
  switch (attempted.type) {
    case 'answered':
    case 'nobody listens':
      return attempted.type === 'answered' ? attempted : {type: 'nobody listens', progress}
    case 'connection lost':
      return patience.once ? {type: 'given up', error: attempted.error} : {type: 'waiting for a connection', progress}
    case 'timed out':
      return nowMs < deadlineMs ? {type: 'asking', progress} : {type: 'given up', error: noAnswer(patience, attempted.error)}
    case 'failed':
      return {type: 'given up', error: attempted.error}
  }
}

/** @param error undefined when there is a connection again */
export function afterConnection(progress: Progress, error: unknown): Asking<never> {
  return error === undefined ? {type: 'asking', progress} : {type: 'given up', error}
}

/** @param finding who is there, or what the stream has of the request */
export function afterSearch<T>(progress: Progress, finding: Finding<T>, surroundings: Omit<Surroundings, 'wasHeard'>): Asking<T> {
  if (finding.type === 'answered') return finding
  const absence = judgeAbsence(progress.absence, finding, {...surroundings, wasHeard: progress.attempts > 1})
  if (absence === 'over') return {type: 'given up', error: finding.error}
  return {type: 'waiting for a supervisor or coordinator', progress: {...progress, absence}}
}

function noAnswer({patienceMs}: Patience, cause: TallyError): TallyError {
  return new TallyError('TIMED_OUT', `no answer within ${patienceMs} ms`, {details: {...cause.details, timeoutMs: patienceMs}, cause})
}

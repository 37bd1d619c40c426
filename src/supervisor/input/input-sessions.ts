/**
 * Input from clients, each of which counts its own bytes: a piece that is sent again, because its reply was lost, is not given to
 * the process twice, also by another supervisor. MUST hold: every byte of a client once and in order; achieved by its offset, and by
 * refusing to go on where that cannot be known.
 */
import {TallyError} from '../../kernel/errors.ts'
import type {Clock} from '../../kernel/clock.ts'
import type {InputAccount} from '../../stdio/input-writer.ts'
import {type InputRecord, type InputState, mostRecordedSessions, mostRecordedUncertain, type Uncertain} from './input-record.ts'

export interface InputPiece {
  /** Chosen by the client, for as long as it sends. */
  readonly session: string
  /** How many bytes it has sent before. */
  readonly offset: number
  readonly bytes: Uint8Array
}

export interface InputSessions {
  /**
   * Resolves when the kernel has taken the piece, or after a while, to the offset up to which it has.
   * @throws TallyError INPUT_GAP, INPUT_UNCERTAIN, STDIN_CLOSED
   */
  take(piece: InputPiece): Promise<number>
}

export interface InputSessionsOptions {
  readonly write: (bytes: Uint8Array, account: InputAccount) => Promise<void>
  readonly record: InputRecord
  readonly clock: Pick<Clock, 'sleep'>
}

type Session =
  | {
      readonly type: 'open'
      /** Behind what waits to be written. */
      accepted: number
      /** By the kernel. */
      taken: number
      /** Settles with the piece that was accepted last. */
      written: Promise<unknown>
    }
  /** A supervisor was killed while it wrote these bytes: the process may have them or not. */
  | ({readonly type: 'uncertain'} & Uncertain)
type OpenSession = Extract<Session, {type: 'open'}>

/** A client that waits for longer cannot tell a process that does not read from a supervisor that died. */
const answerMs = 2_000
/** The session that sent nothing for the longest time is forgotten. */
const mostSessions = 1_000

export function createInputSessions({write, record, clock}: InputSessionsOptions): InputSessions {
  const former = record.read()
  const uncertain = findUncertain(former)
  const sessions = new Map(former.sessions.map(([name, taken]) => [name, openSession(taken)]))

  return {
    take: async ({session: name, offset, bytes}) => {
      const session = findSession(name)
      if (session.type === 'uncertain') throw toUncertainError(session)
      const {accepted: next} = session
      if (offset > next)
        throw new TallyError('INPUT_GAP', `expected input from offset ${next}, got ${offset}`, {details: {expected: next, got: offset}})
      const fresh = bytes.subarray(next - offset)
      if (fresh.length > 0) accept(name, session, fresh)
      await Promise.race([session.written, clock.sleep(answerMs)])
      return session.taken
    },
  }

  function findSession(name: string): Session {
    const doubt = uncertain.find(({session}) => session === name)
    return doubt ? {type: 'uncertain', ...doubt} : (sessions.get(name) ?? openSession(0))
  }

  function accept(name: string, session: OpenSession, bytes: Uint8Array): void {
    sessions.delete(name)
    sessions.set(name, session)
    const [oldest] = sessions.keys()
    if (oldest !== undefined && sessions.size > mostSessions) sessions.delete(oldest)
    session.accepted += bytes.length
    session.written = write(bytes, toAccount(name, session))
    // Every caller that still waits gets the error; there may be none.
    session.written.catch(() => {})
  }

  function toAccount(name: string, session: OpenSession): InputAccount {
    return {
      attempt: (bytes) => note({session: name, bytes}),
      taken: (bytes) => {
        session.taken += bytes
        note()
      },
    }
  }

  /** What was uncertain remains so for the supervisor after this one. */
  function note(attempt?: InputState['attempt']): void {
    const last = [...sessions].slice(-mostRecordedSessions)
    record.write({
      sessions: last.map(([name, {taken}]) => [name, taken]),
      ...(attempt && {attempt}),
      ...(uncertain.length > 0 && {uncertain: [...uncertain]}),
    })
  }
}

function openSession(taken: number): OpenSession {
  return {type: 'open', accepted: taken, taken, written: Promise.resolve()}
}

/** The latest first. */
function findUncertain({sessions, attempt, uncertain = []}: InputState): readonly Uncertain[] {
  if (!attempt) return uncertain
  const from = sessions.find(([name]) => name === attempt.session)?.[1] ?? 0
  return [{session: attempt.session, from, to: from + attempt.bytes}, ...uncertain].slice(0, mostRecordedUncertain)
}

function toUncertainError({from, to}: Uncertain): TallyError {
  return new TallyError(
    'INPUT_UNCERTAIN',
    `a supervisor was killed while it wrote bytes ${from} to ${to} of this input: it is not known how many of them the process has got`,
    {details: {from, to}},
  )
}

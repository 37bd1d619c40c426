/**
 * Input from clients, each of which counts its own bytes: a piece that is sent again, because its reply was lost, is not given to
 * the process twice, also by another supervisor. MUST hold: every byte of a client once and in order; achieved by its offset, and by
 * refusing to go on where that cannot be known.
 */
import {TallyError} from '../../kernel/errors.ts'
import type {Clock} from '../../kernel/clock.ts'
import type {InputAccount} from '../../stdio/input-writer.ts'
import {type InputRecord, type InputState, mostRecordedSessions} from './input-record.ts'

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

interface Session {
  /** Behind what waits to be written. */
  accepted: number
  /** By the kernel. */
  taken: number
  /** Settles with the piece that was accepted last. */
  written: Promise<unknown>
}

/** A client that waits for longer cannot tell a process that does not read from a supervisor that died. */
const answerMs = 2_000
/** Clients that came and went are forgotten, the eldest first. */
const mostSessions = 1_000

export function createInputSessions({write, record, clock}: InputSessionsOptions): InputSessions {
  const former = record.read()
  const sessions = new Map(former.sessions.map(([name, taken]) => [name, toSession(taken)]))

  return {
    take: async ({session: name, offset, bytes}) => {
      refuseUncertain(name, former)
      const session = sessions.get(name) ?? toSession(0)
      const {accepted: next} = session
      if (offset > next)
        throw new TallyError('INPUT_GAP', `expected input from offset ${next}, got ${offset}`, {details: {expected: next, got: offset}})
      const fresh = bytes.subarray(next - offset)
      if (fresh.length > 0) accept(name, session, fresh)
      await Promise.race([session.written, clock.sleep(answerMs)])
      return session.taken
    },
  }

  function accept(name: string, session: Session, bytes: Uint8Array): void {
    sessions.delete(name)
    sessions.set(name, session)
    const [eldest] = sessions.keys()
    if (eldest !== undefined && sessions.size > mostSessions) sessions.delete(eldest)
    session.accepted += bytes.length
    session.written = write(bytes, toAccount(name, session))
    // Each who asks sees it; nobody may be asking any more.
    session.written.catch(() => {})
  }

  function toAccount(name: string, session: Session): InputAccount {
    return {
      attempt: (bytes) => note({session: name, bytes}),
      taken: (bytes) => {
        session.taken += bytes
        note()
      },
    }
  }

  /** What was uncertain remains so, also for the supervisor after this one. */
  function note(attempt = former.attempt): void {
    const last = [...sessions].slice(-mostRecordedSessions)
    record.write({sessions: last.map(([name, {taken}]) => [name, taken]), ...(attempt && {attempt})})
  }
}

function toSession(taken: number): Session {
  return {accepted: taken, taken, written: Promise.resolve()}
}

function refuseUncertain(name: string, {sessions, attempt}: InputState): void {
  if (attempt?.session !== name) return
  const from = sessions.find(([other]) => other === name)?.[1] ?? 0
  const to = from + attempt.bytes
  throw new TallyError(
    'INPUT_UNCERTAIN',
    `a supervisor was killed while it wrote bytes ${from} to ${to} of this input: how many of them the process has got nobody knows`,
    {details: {from, to}},
  )
}

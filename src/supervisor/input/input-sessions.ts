/**
 * Input from clients, each of which counts its own bytes: a piece that is sent again, because its reply was lost, is not given to
 * the process twice, also by another supervisor. MUST hold: every byte of a client once and in order; achieved by its offset, and by
 * the shim's keeping what was accepted of each.
 */
import {TallyError} from '../../kernel/errors.ts'
import type {Clock} from '../../kernel/clock.ts'
import type {InputAccount} from '../../stdio/process-stdio-port.ts'
import {type AcceptedInput, encodeInputCookie, type SessionKey, toSessionKey} from './input-cookie.ts'

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
   * @throws TallyError INPUT_GAP, STDIN_CLOSED
   */
  take(piece: InputPiece): Promise<number>
}

export interface InputSessionsOptions {
  readonly write: (bytes: Uint8Array, account: InputAccount) => Promise<void>
  /** By the supervisors before. */
  readonly former: AcceptedInput
  readonly clock: Pick<Clock, 'sleep'>
}

interface Session {
  readonly key: SessionKey
  /** Behind what waits to be written. */
  accepted: number
  /** By the shim: what the next supervisor goes on from. */
  sent: number
  /** By the kernel. */
  taken: number
  /** Settles with the piece that was accepted last. */
  written: Promise<unknown>
}

/** A client that waits for longer cannot tell a process that does not read from a supervisor that died. */
const answerMs = 2_000
/** The session that sent nothing for the longest time is forgotten. */
const mostSessions = 1_000

export function createInputSessions({write, former, clock}: InputSessionsOptions): InputSessions {
  const sessions = new Map(former.map(([key, sent]) => [key, openSession(key, sent)]))

  return {
    take: async ({session: name, offset, bytes}) => {
      const key = toSessionKey(name)
      const session = sessions.get(key) ?? openSession(key, 0)
      const {accepted: next} = session
      if (offset > next)
        throw new TallyError('INPUT_GAP', `expected input from offset ${next}, got ${offset}`, {details: {expected: next, got: offset}})
      const fresh = bytes.subarray(next - offset)
      if (fresh.length > 0) accept(session, fresh)
      await Promise.race([session.written, clock.sleep(answerMs)])
      return session.taken
    },
  }

  function accept(session: Session, bytes: Uint8Array): void {
    sessions.delete(session.key)
    sessions.set(session.key, session)
    const [oldest] = sessions.keys()
    if (oldest !== undefined && sessions.size > mostSessions) sessions.delete(oldest)
    session.accepted += bytes.length
    session.written = write(bytes, toAccount(session))
    // Every caller that still waits gets the error; there may be none.
    session.written.catch(() => {})
  }

  function toAccount(session: Session): InputAccount {
    return {
      toCookie: (bytes) => {
        session.sent += bytes
        return encodeInputCookie([...sessions.values()].map(({key, sent}) => [key, sent]))
      },
      taken: (bytes) => {
        session.taken += bytes
      },
    }
  }
}

function openSession(key: SessionKey, sent: number): Session {
  return {key, accepted: sent, sent, taken: sent, written: Promise.resolve()}
}

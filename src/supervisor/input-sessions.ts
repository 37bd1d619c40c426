/**
 * Input from clients, each of which counts its own bytes: a piece that is sent again, because its reply was lost, is not given to
 * the process twice. MUST hold: every byte of a client once and in order; achieved by its offset.
 */
import {TallyError} from '../kernel/errors.ts'

export interface InputPiece {
  /** Chosen by the client, for as long as it sends. */
  readonly session: string
  /** How many bytes it has sent before. */
  readonly offset: number
  readonly bytes: Uint8Array
}

export interface InputSessions {
  /**
   * Resolves when the kernel has taken the piece, to the offset of the next.
   * @throws TallyError INPUT_GAP, STDIN_CLOSED
   */
  take(piece: InputPiece): Promise<number>
}

interface Session {
  readonly next: number
  /** Settles with the piece that was taken last. */
  readonly written: Promise<unknown>
}

/** Clients that came and went are forgotten, the eldest first. */
const mostSessions = 1_000

export function createInputSessions(write: (bytes: Uint8Array) => Promise<void>): InputSessions {
  const sessions = new Map<string, Session>()

  return {
    take: async ({session, offset, bytes}) => {
      const {next, written} = sessions.get(session) ?? {next: 0, written: Promise.resolve()}
      if (offset > next)
        throw new TallyError('INPUT_GAP', `expected input from offset ${next}, got ${offset}`, {details: {expected: next, got: offset}})
      const fresh = bytes.subarray(next - offset)
      if (fresh.length === 0) {
        await written
        return next
      }
      const writing = write(fresh)
      sessions.delete(session)
      sessions.set(session, {next: next + fresh.length, written: writing})
      const [eldest] = sessions.keys()
      if (eldest !== undefined && sessions.size > mostSessions) sessions.delete(eldest)
      await writing
      return next + fresh.length
    },
  }
}

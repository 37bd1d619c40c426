/** One request, asked again until somebody answers: whoever was asked may have died with it. It is carried out once (docs/adr/0021). */
import {randomUUID} from 'node:crypto'
import {TallyError} from '../kernel/errors.ts'
import type {ReturningConnection} from './returning-connection.ts'

/** Whoever was asked has died seldom, and takes long often. */
const usualAgainMs: readonly number[] = [1_000, 2_000, 5_000]

/** Under which name it is asked, and whether it may have been heard before. */
export interface Again {
  readonly correlationId: string
  readonly isRetry: boolean
}

export interface Patience {
  /** In all. */
  readonly patienceMs: number
  /** For how long each asking waits for an answer; the last stands for those after it as well. */
  readonly againMs?: readonly number[]
  /** It is not asked again over another connection. */
  readonly once?: true
}

export interface Asker<T> {
  readonly correlationId: string
  /** How often it has been asked. */
  readonly attempts: number
  /** @returns undefined when nobody listens now. @throws TallyError that of the answer; TIMED_OUT, NATS_UNREACHABLE */
  untilAnswered(): Promise<T | undefined>
}

/** @param ask over the present connection; resolves to undefined when nobody listens */
export function createAsker<T>(
  ask: (timeoutMs: number, origin: Again) => Promise<T | undefined>,
  {patienceMs, againMs = usualAgainMs, once}: Patience,
  connection: Pick<ReturningConnection, 'present' | 'back'>,
): Asker<T> {
  const correlationId = randomUUID()
  const endsAt = performance.now() + patienceMs
  let attempts = 0
  return {
    correlationId,
    get attempts() {
      return attempts
    },
    untilAnswered: async () => {
      for (;;) {
        const waitMs = againMs[Math.min(attempts, againMs.length - 1)] ?? patienceMs
        attempts += 1
        try {
          return await ask(Math.max(1, Math.min(waitMs, Math.ceil(endsAt - performance.now()))), {correlationId, isRetry: attempts > 1})
        } catch (error) {
          if (!(error instanceof TallyError)) throw error
          if (error.code === 'NATS_UNREACHABLE' && connection.present.isClosed() && !once) await connection.back(endsAt - performance.now())
          else if (error.code !== 'TIMED_OUT') throw error
          else if (performance.now() >= endsAt)
            throw new TallyError('TIMED_OUT', `no answer within ${patienceMs} ms`, {
              details: {...error.details, timeoutMs: patienceMs},
              cause: error,
            })
        }
      }
    },
  }
}

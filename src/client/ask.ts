/** Runs a request through the states of asking.ts: sends it, waits for a connection or for somebody to listen, until it is answered. */
import {randomUUID} from 'node:crypto'
import {TallyError} from '../kernel/errors.ts'
import type {Clock} from '../kernel/clock.ts'
import type {Finding} from './absence.ts'
import {
  afterAttempt,
  afterConnection,
  afterSearch,
  type Asking,
  type Attempted,
  begin,
  type Patience,
  toPollMs,
  toTimeoutMs,
} from './asking.ts'

/** One attempt to send a request. */
export interface Attempt {
  /** The same for each attempt: part of the idempotency key. */
  readonly correlationId: string
  readonly isRetry: boolean
  readonly timeoutMs: number
}

export interface AskDependencies {
  readonly connection: {
    readonly present: {isClosed(): boolean}
    /** As those of `ReturningConnection`. */
    readonly isRecent: boolean
    back(patienceMs: number): Promise<unknown>
  }
  readonly clock: Pick<Clock, 'elapsed' | 'sleep'>
  readonly isCluster: boolean
}

export interface Request<T> {
  /** Over the present connection. Resolves to undefined when nobody listens. */
  readonly send: (attempt: Attempt) => Promise<T | undefined>
  /** Nobody listens: who is there? */
  readonly search: (asked: {readonly correlationId: string; readonly attempts: number}) => Promise<Finding<T>>
  readonly patience: Patience
  /** Whether the one that is asked has answered before. */
  readonly isKnown?: () => boolean
}

/** @throws TallyError that of the reply; TIMED_OUT, NATS_UNREACHABLE, and those of the search */
export async function ask<T>(
  {connection, clock, isCluster}: AskDependencies,
  {send, search, patience, isKnown = () => false}: Request<T>,
): Promise<T> {
  const correlationId = randomUUID()
  let asking: Asking<T> = begin(patience, clock.elapsed())
  for (;;) {
    switch (asking.type) {
      case 'asking': {
        const {progress} = asking
        const timeoutMs = toTimeoutMs(progress, clock.elapsed())
        const attempted = await attempt({correlationId, isRetry: progress.attempts > 0, timeoutMs})
        asking = afterAttempt(progress, attempted, clock.elapsed())
        break
      }
      case 'waiting for a connection': {
        const {progress} = asking
        asking = afterConnection(progress, await toFailure(connection.back(progress.deadlineMs - clock.elapsed())))
        break
      }
      case 'nobody listens': {
        const {progress} = asking
        const finding = await search({correlationId, attempts: progress.attempts})
        const {isRecent} = connection
        asking = afterSearch(progress, finding, {nowMs: clock.elapsed(), isRecent, isKnown: isKnown(), isCluster})
        break
      }
      case 'waiting for a supervisor or coordinator': {
        const {progress} = asking
        await clock.sleep(toPollMs(progress))
        asking = {type: 'asking', progress}
        break
      }
      case 'answered':
        return asking.reply
      case 'given up':
        throw asking.error
    }
  }

  async function attempt(options: Attempt): Promise<Attempted<T>> {
    try {
      const reply = await send(options)
      return reply === undefined ? {type: 'nobody listens'} : {type: 'answered', reply}
    } catch (error) {
      if (!(error instanceof TallyError)) return {type: 'failed', error}
      if (error.code === 'TIMED_OUT') return {type: 'timed out', error}
      return {type: error.code === 'NATS_UNREACHABLE' && connection.present.isClosed() ? 'connection lost' : 'failed', error}
    }
  }
}

/** @returns undefined when it has not failed */
async function toFailure(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
    return undefined
  } catch (error) {
    return error
  }
}

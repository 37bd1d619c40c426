/** A client's connection to NATS. When it is lost, another is made: to the same server when that is back, or to another one. */
import {setTimeout as sleep} from 'node:timers/promises'
import type {NatsConnection} from 'nats'
import {TallyError} from '../kernel/errors.ts'

export interface ReturningConnection extends AsyncDisposable {
  /** Closed while it is lost. */
  readonly present: NatsConnection
  /** It has come back a short time ago: a supervisor or coordinator that does not listen may not be connected again yet. */
  readonly isRecent: boolean
  /**
   * Resolves when there is a connection, at once if it is not lost.
   * @throws TallyError NATS_UNREACHABLE when it does not come back in time; errors that another try does not mend, such as NATS_AUTH_FAILED
   */
  back(patienceMs?: number): Promise<NatsConnection>
}

export interface ReturningOptions {
  readonly dial: () => Promise<NatsConnection>
  /** The connection was lost; it is tried to connect again. */
  readonly onLost?: (() => void) | undefined
  readonly onBack?: (() => void) | undefined
}

const retryMs = 250
const recentMs = 10_000
const passing: ReadonlySet<string> = new Set(['NATS_UNREACHABLE', 'NODE_NOT_RUNNING'])

/** @param first the connection that there is */
export function connectReturning(first: NatsConnection, {dial, onLost, onBack}: ReturningOptions): ReturningConnection {
  let present = first
  let backAt: number | undefined
  let returning: Promise<NatsConnection> | undefined
  let disposed = false

  return {
    get present() {
      return present
    },
    get isRecent() {
      return backAt !== undefined && performance.now() < backAt + recentMs
    },
    back: async (patienceMs = Number.POSITIVE_INFINITY) => {
      if (!present.isClosed()) return present
      // It was closed, not lost: the requests that are still under way have no caller any more.
      if (disposed) throw notBack()
      returning ??= dialUntilBack().finally(() => {
        returning = undefined
      })
      return await withinPatience(returning, patienceMs)
    },
    [Symbol.asyncDispose]: async () => {
      disposed = true
      await present.close()
    },
  }

  async function dialUntilBack(): Promise<NatsConnection> {
    onLost?.()
    for (; !disposed; await sleep(retryMs)) {
      try {
        const connection = await dial()
        if (disposed) await connection.close()
        present = connection
        backAt = performance.now()
        onBack?.()
        return connection
      } catch (error) {
        if (!(error instanceof TallyError && passing.has(error.code))) throw error
      }
    }
    throw notBack()
  }
}

/** One that its caller manages: it does not come back. */
export function asReturning(connection: NatsConnection): ReturningConnection {
  return {
    present: connection,
    isRecent: false,
    back: async () => {
      if (connection.isClosed()) throw notBack()
      return connection
    },
    [Symbol.asyncDispose]: () => connection.close(),
  }
}

async function withinPatience(returning: Promise<NatsConnection>, patienceMs: number): Promise<NatsConnection> {
  if (!Number.isFinite(patienceMs)) return await returning
  const over = new AbortController()
  const late = sleep(Math.max(0, patienceMs), undefined, {signal: over.signal}).then(() => {
    throw notBack()
  })
  // By the time it is late, the race may be over.
  late.catch(() => {})
  try {
    return await Promise.race([returning, late])
  } finally {
    over.abort()
  }
}

function notBack(): TallyError {
  return new TallyError('NATS_UNREACHABLE', 'the connection to NATS was lost')
}

/**
 * A connection to NATS that is made again whenever it is lost. Each connection is a session: subscriptions of the last one are gone, and are
 * set up again. The address is read again every time, since the server may have moved; any server of a cluster is good.
 */
import type {NatsConnection} from 'nats'
import type {Clock} from '../kernel/clock.ts'
import type {Logger} from '../kernel/log.ts'
import type {Connection} from './connection.ts'
import {createDialer} from './dialer.ts'

export type LinkState =
  | {readonly type: 'connecting'}
  | {readonly type: 'connected'; readonly connection: NatsConnection}
  | {readonly type: 'waiting'; readonly reason: string}
  | {readonly type: 'closed'}

export interface NatsLink extends AsyncDisposable {
  readonly state: LinkState
  /** The present session; undefined between sessions. */
  session(): NatsConnection | undefined
  /** Runs for the present session and for every later one. An error is logged; the session continues. */
  onSession(setUp: (connection: NatsConnection) => Promise<void>): void
  /** Resolves with the present session, or the next. */
  connected(): Promise<NatsConnection>
  /** All known servers, that of the present session first; empty before the first session. */
  servers(): readonly string[]
}

export interface LinkOptions {
  readonly readConnection: () => Promise<Connection | undefined>
  readonly name: () => string
  readonly clock: Clock
  readonly logger: Logger
}

const shortestWaitMs = 50
const longestWaitMs = 1_000

export function createNatsLink({readConnection, name, clock, logger}: LinkOptions): NatsLink {
  const dialer = createDialer()
  let state: LinkState = {type: 'connecting'}
  const setUps: ((connection: NatsConnection) => Promise<void>)[] = []
  const waiting: ((connection: NatsConnection) => void)[] = []
  const ended = run()

  return {
    get state() {
      return state
    },
    session,
    onSession: (setUp) => {
      setUps.push(setUp)
      const connection = session()
      if (connection) begin(setUp, connection)
    },
    connected: () => {
      const connection = session()
      return connection ? Promise.resolve(connection) : new Promise((resolve) => waiting.push(resolve))
    },
    servers: dialer.servers,
    [Symbol.asyncDispose]: async () => {
      const connection = session()
      state = {type: 'closed'}
      // Drain sends what is buffered; a server that does not respond must not delay the end.
      if (connection) await Promise.race([connection.drain(), clock.sleep(1_000)]).catch(() => {})
      await connection?.close()
      await Promise.race([ended, clock.sleep(longestWaitMs)])
    },
  }

  function session(): NatsConnection | undefined {
    return state.type === 'connected' && !state.connection.isClosed() ? state.connection : undefined
  }

  async function run(): Promise<void> {
    let failures = 0
    while (state.type !== 'closed') {
      try {
        const options = await readConnection()
        if (!options) throw new Error('no connection file yet')
        const connection = await dialer.dial({...options, name: name()})
        if (isClosed()) return await connection.close()
        failures = 0
        state = {type: 'connected', connection}
        for (const resolve of waiting.splice(0)) resolve(connection)
        for (const setUp of setUps) begin(setUp, connection)
        const reason = await connection.closed()
        if (!isClosed()) state = {type: 'waiting', reason: reason?.message ?? 'closed'}
      } catch (error) {
        failures += 1
        if (!isClosed()) state = {type: 'waiting', reason: error instanceof Error ? error.message : String(error)}
      }
      if (isClosed()) return
      const waitMs = Math.min(longestWaitMs, shortestWaitMs * 2 ** Math.min(failures, 10))
      await clock.sleep(waitMs * (0.5 + Math.random() / 2))
    }
  }

  function isClosed(): boolean {
    return state.type === 'closed'
  }

  function begin(setUp: (connection: NatsConnection) => Promise<void>, connection: NatsConnection): void {
    setUp(connection).catch((error: unknown) => {
      if (!connection.isClosed()) logger.error({err: error}, 'cannot set the session up')
    })
  }
}

/** Work that goes on over lost connections: it is done anew with each client, and keeps its place itself. */
import type {TallyClient} from '../client/client.ts'
import {TallyError, toErrorBody} from '../kernel/errors.ts'
import type {NodeOptions} from './node-options.ts'
import {printNote} from './print.ts'
import {connect} from './verb.ts'

const retryMs = 250
/** After NATS is back, supervisors come back within seconds: until then nobody answering does not mean that there is nobody. */
const returnPatienceMs = 10_000

/**
 * Runs `work` until it returns. When the connection is lost it is run again with another client, for ever; those are closed here.
 * @throws what `work` throws for any other reason
 */
export async function withReconnect<T>(options: NodeOptions, first: TallyClient, work: (client: TallyClient) => Promise<T>): Promise<T> {
  await using others = new AsyncDisposableStack()
  let client = first
  let lostAt: number | undefined
  for (;;) {
    try {
      return await work(client)
    } catch (error) {
      const {code} = toErrorBody(error)
      const isReturning = lostAt !== undefined && performance.now() - lostAt < returnPatienceMs && code === 'CONTAINER_NOT_FOUND'
      if (!client.connection.isClosed() && !isReturning && code !== 'NATS_UNREACHABLE' && code !== 'TIMED_OUT') throw error
      if (client.connection.isClosed()) {
        printNote('the connection to NATS was lost; waiting for it to come back')
        client = others.use(await connectPatiently(options))
        lostAt = performance.now()
        printNote('connected again')
      } else {
        await sleep(retryMs)
      }
    }
  }
}

async function connectPatiently(options: NodeOptions): Promise<TallyClient> {
  for (;;) {
    try {
      return await connect(options)
    } catch (error) {
      if (!(error instanceof TallyError) || (error.code !== 'NATS_UNREACHABLE' && error.code !== 'NODE_NOT_RUNNING')) throw error
      await sleep(retryMs)
    }
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Work that goes on over lost connections: it is done anew with each connection, and keeps its place itself. */
import type {TallyClient} from '../client/client.ts'
import {toErrorBody} from '../kernel/errors.ts'

const retryMs = 250

/**
 * Runs `work` until it returns. When the connection is lost it is run again over another, for ever.
 * @throws what `work` throws for any other reason
 */
export async function withReconnect<T>(client: TallyClient, work: () => Promise<T>): Promise<T> {
  for (;;) {
    const {connection} = client
    try {
      return await work()
    } catch (error) {
      const {code} = toErrorBody(error)
      if (!connection.isClosed() && code !== 'NATS_UNREACHABLE' && code !== 'TIMED_OUT') throw error
      await client.back()
      // Those who are to answer may not be back yet.
      await new Promise((resolve) => setTimeout(resolve, retryMs))
    }
  }
}

/** Work that survives a lost connection: it is started again with each connection, and has to remember its own progress. */
import type {TallyClient} from '../client/client.ts'
import {toErrorBody} from '../kernel/errors.ts'

const retryMs = 250

/**
 * Runs `work` until it returns, again after each lost connection, without limit.
 * @throws any error of `work` that is not a lost connection
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
      // The coordinator or supervisor may need longer than we do to connect again.
      await new Promise((resolve) => setTimeout(resolve, retryMs))
    }
  }
}

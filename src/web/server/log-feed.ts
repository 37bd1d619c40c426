/**
 * A container's log as it is written. It is read page by page from a position, so that nothing is missed; a message of output only says
 * that there is more to read.
 */
import {setTimeout as sleep} from 'node:timers/promises'
import type {ContainerAddress} from '../../../machines/ledger/ids.ts'
import type {LogReply} from '../../../machines/views/view.ts'
import type {ContainerClient, TallyClient} from '../../client/client.ts'
import type {Clock} from '../../kernel/clock.ts'
import {toErrorBody} from '../../kernel/errors.ts'
import {createTemporaryErrors} from './temporary-errors.ts'
import {type Notifier, createNotifier} from './notifier.ts'
import {formatEvent} from './server-sent-events.ts'

export interface LogFeedOptions {
  /** Over the present connection. */
  readonly connect: () => Promise<TallyClient>
  readonly toContainer: (client: TallyClient) => ContainerClient
  /** An added process; the container itself when absent. */
  readonly exec: string | undefined
  readonly position: number
  readonly clock: Pick<Clock, 'elapsed'>
}

/** The end may have been published before the subscription was made. */
const lookMs = 1_000
/** What is written within this time is read in one request. */
const gatherMs = 40
const retryMs = 500

export async function* followLog(options: LogFeedOptions, signal: AbortSignal): AsyncGenerator<string, void, undefined> {
  const notifier = createNotifier()
  const temporary = createTemporaryErrors(options.clock)
  let position = options.position
  while (!signal.aborted) {
    try {
      const client = await options.connect()
      const {address} = options.toContainer(client)
      using _subscription = notifyOfOutput(client, address, options.exec, notifier)
      while (!signal.aborted && !client.connection.isClosed()) {
        const {count} = notifier
        const reply = await readLog(options.toContainer(client), options.exec, {position})
        if (reply.entries.length > 0) yield format(reply)
        const hasMore = reply.next > position && reply.next < reply.end
        position = reply.next
        if (reply.ended) return yield formatEvent({event: 'end', data: {position}})
        if (hasMore) continue
        // A notification during the request may be of output that is not in its reply.
        if (notifier.count === count) await notifier.wait(signal, lookMs)
        await sleep(gatherMs)
      }
    } catch (error) {
      if (!temporary.isTemporary(error)) {
        if (isGone(error)) return yield formatEvent({event: 'end', data: {position}})
        throw error
      }
    }
    await sleep(retryMs)
  }
}

/** The log of the container, or of an added process. */
export async function readLog(
  container: ContainerClient,
  exec: string | undefined,
  from: {readonly position: number} | {readonly tail: number},
): Promise<LogReply> {
  return await (exec === undefined ? container.log(from) : container.process(exec).log(from))
}

function format({entries, next: end}: LogReply): string {
  return entries.map(({time, stream, data, next = end}) => formatEvent({id: next, data: {time, stream, data, next}})).join('')
}

function notifyOfOutput(
  {connection, subjects}: TallyClient,
  address: ContainerAddress,
  exec: string | undefined,
  notifier: Notifier,
): Disposable {
  const subscriptions = (['stdout', 'stderr'] as const).map((stream) =>
    connection.subscribe(exec === undefined ? subjects.log(address, stream) : subjects.io(address, exec, stream), {
      callback: () => notifier.notify(),
    }),
  )
  return {
    [Symbol.dispose]: () => {
      for (const subscription of subscriptions) subscription.unsubscribe()
    },
  }
}

function isGone(error: unknown): boolean {
  return ['CONTAINER_NOT_FOUND', 'EXEC_NOT_FOUND'].includes(toErrorBody(error).code)
}

/**
 * A container's log as it is written. It is read page by page from a position, so that nothing is missed; a message of output only says
 * that there is more to read.
 */
import type {LogReply} from '../../../machines/views/view.ts'
import type {Clock} from '../../kernel/clock.ts'
import {toErrorBody} from '../../kernel/errors.ts'
import type {LogSource} from './log-source.ts'
import {createNotifier} from './notifier.ts'
import {formatEvent} from './server-sent-events.ts'
import {createTemporaryErrors} from './temporary-errors.ts'

export interface LogFeedOptions {
  /** Over the present connection, or the next. */
  readonly connect: () => Promise<LogSource>
  readonly position: number
  readonly clock: Pick<Clock, 'elapsed' | 'sleep'>
}

/** The end may have been published before the subscription was made. */
const lookMs = 1_000
/** What is written within this time is read in one request. */
const gatherMs = 40
const retryMs = 500

export async function* followLog(
  {connect, clock, ...options}: LogFeedOptions,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  const notifier = createNotifier()
  const temporary = createTemporaryErrors(clock)
  let {position} = options
  let source: LogSource | undefined
  try {
    for (; !signal.aborted; await clock.sleep(retryMs)) {
      try {
        source = await connect()
        using _watch = source.watch(notifier.notify)
        while (!signal.aborted && !source.isClosed()) {
          const {count} = notifier
          const reply = await source.read({position})
          if (reply.entries.length > 0) yield format(reply)
          const hasMore = reply.next > position && reply.next < reply.end
          position = reply.next
          if (reply.ended) return yield formatEvent({event: 'end', data: {position}})
          if (hasMore) continue
          // A notification during the request may be of output that is not in its reply.
          if (notifier.count === count) await notifier.wait(signal, lookMs)
          await clock.sleep(gatherMs)
        }
        if (source.isClosed()) temporary.noteLoss()
      } catch (error) {
        if (!temporary.isTemporary(error)) {
          if (isGone(error)) return yield formatEvent({event: 'end', data: {position}})
          throw error
        }
      }
    }
  } finally {
    // A container that removes itself waits for its readers.
    void source?.letGo()
  }
}

function format({entries, next: end}: LogReply): string {
  return entries.map(({time, stream, data, next = end}) => formatEvent({id: next, data: {time, stream, data, next}})).join('')
}

function isGone(error: unknown): boolean {
  return ['CONTAINER_NOT_FOUND', 'EXEC_NOT_FOUND'].includes(toErrorBody(error).code)
}

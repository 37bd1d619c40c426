/** Follows the stream once, for all listeners, and tells one stream from the next of the same name. */
import {setTimeout as sleep} from 'node:timers/promises'
import type {NatsConnection} from 'nats'
import {readEvents} from '../../messaging/read-events.ts'
import {eventAt, isStillThere, readStreamState, type StreamedEvent, type StreamState} from '../../messaging/stream.ts'
import type {Backend} from './backend.ts'
import type {Notifier} from './notifier.ts'
import {createRecentEvents, type RecentEvents, type RecentEventsLimits} from './recent-events.ts'

export type FollowerState =
  /** No stream was found yet. */
  | {readonly type: 'connecting'}
  /** Events come as they are stored. */
  | {readonly type: 'live'; readonly recent: RecentEvents}
  /** The connection, or the stream, is gone; what was kept of it is still good if it comes back. */
  | {readonly type: 'lost'; readonly recent: RecentEvents}

export interface StreamFollower {
  readonly state: FollowerState
}

export interface StreamFollowerOptions extends RecentEventsLimits {
  readonly format: (event: StreamedEvent) => string
  /** Notified of every event, and of another stream. */
  readonly notifier: Notifier
}

const checkMs = 5_000
const retryMs = 250
const failedMs = 2_000

export function createStreamFollower(
  {link, subjects, logger}: Pick<Backend, 'link' | 'subjects' | 'logger'>,
  {notifier, ...options}: StreamFollowerOptions,
): StreamFollower {
  let state: FollowerState = {type: 'connecting'}

  link.onSession(async (connection) => {
    while (!connection.isClosed()) {
      try {
        await followOnce(connection)
      } catch (error) {
        if (!connection.isClosed()) logger.warn({err: error}, 'cannot read the stream for the pages; trying again')
        await sleep(failedMs)
      }
      await sleep(retryMs)
    }
  })

  return {
    get state() {
      return state
    },
  }

  async function followOnce(connection: NatsConnection): Promise<void> {
    const recent = await findStream(connection)
    state = {type: 'live', recent}
    notifier.notify()
    const stop = new AbortController()
    const watch = watchStream(connection, recent, stop)
    try {
      const from = {streamSequence: recent.newest + 1}
      const isRight = async () => !recent.latest || (await isStillThere(connection, subjects, recent.latest))
      for await (const event of readEvents(connection, subjects, {from, follow: true, signal: stop.signal, isRight, reader: 'page'})) {
        recent.add(event)
        notifier.notify()
      }
    } finally {
      state = {type: 'lost', recent}
      stop.abort()
      await watch
    }
  }

  /** The one that was followed before, if it is still there. */
  async function findStream(connection: NatsConnection): Promise<RecentEvents> {
    const found = await readStreamState(connection, subjects)
    if (state.type !== 'connecting' && !(await isAnother(connection, state.recent, found))) return state.recent
    const latest = found.lastSequence > 0 ? await eventAt(connection, subjects, found.lastSequence) : undefined
    return createRecentEvents(found, latest, options)
  }

  /** The end of a stream that was deleted or replaced by an old copy is not always reported: it may just be silent. */
  async function watchStream(connection: NatsConnection, recent: RecentEvents, stop: AbortController): Promise<void> {
    let before = recent.newest
    while (!stop.signal.aborted && !connection.isClosed()) {
      await sleep(checkMs, undefined, {signal: stop.signal}).catch(() => {})
      if (stop.signal.aborted) return
      const found = await readStreamState(connection, subjects).catch(() => undefined)
      const isBehind = found !== undefined && found.lastSequence > recent.newest && recent.newest === before
      before = recent.newest
      if (found === undefined || isBehind || (await isAnother(connection, recent, found).catch(() => true))) stop.abort()
    }
  }

  async function isAnother(connection: NatsConnection, recent: RecentEvents, {created, lastSequence}: StreamState): Promise<boolean> {
    if (created !== recent.created || lastSequence < recent.newest) return true
    return recent.latest !== undefined && !(await isStillThere(connection, subjects, recent.latest))
  }
}

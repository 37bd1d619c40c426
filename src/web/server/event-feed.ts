/**
 * All events for everybody who listens. The stream is followed once and its newest events are kept; a listener that has fallen behind them
 * reads pages of the stream until it has caught up. MUST hold: each listener gets every event after its own place, once and in order;
 * achieved by going by places in the stream, and by when their events were stored, which tells one stream from another.
 */
import {setTimeout as sleep} from 'node:timers/promises'
import {toCloudEvent} from '../../../machines/ledger/cloud-event.ts'
import {readEventPages} from '../../messaging/event-pages.ts'
import {isStillThere, readStreamState, type StreamedEvent} from '../../messaging/stream.ts'
import type {Backend} from './backend.ts'
import {type FeedPlace, formatPlace} from './feed-place.ts'
import {createNotifier} from './notifier.ts'
import type {RecentEvents} from './recent-events.ts'
import {formatEvent} from './server-sent-events.ts'
import {createStreamFollower} from './stream-follower.ts'

export interface EventFeed {
  /** Events after `after`, formatted, several in a piece; or at last a `reset`, when the stream is not the one that `after` is of. */
  follow(after: FeedPlace, signal: AbortSignal): AsyncGenerator<string, void, undefined>
}

export interface EventFeedOptions {
  /** So many events are kept, and no more than so many characters of them. */
  readonly mostEvents?: number
  readonly mostCharacters?: number
}

const pageEvents = 250
const checkMs = 5_000
const retryMs = 250

export function createEventFeed(
  {link, subjects, logger}: Pick<Backend, 'link' | 'subjects' | 'logger'>,
  {mostEvents = 5_000, mostCharacters = 8 * 1024 * 1024}: EventFeedOptions = {},
): EventFeed {
  const notifier = createNotifier()
  const follower = createStreamFollower({link, subjects, logger}, {mostEvents, mostCharacters, format, notifier})

  return {follow}

  async function* follow(after: FeedPlace, signal: AbortSignal): AsyncGenerator<string, void, undefined> {
    while (follower.state.type === 'connecting' && !signal.aborted) await notifier.wait(signal, retryMs)
    const recent = findRecent()
    if (!recent) return
    if (await isOfOtherStream(after, signal)) return yield formatReset()
    for (let place = after.streamSequence; !signal.aborted; ) {
      if (findRecent() !== recent || (await isBeyondEnd(recent, place))) return yield formatReset()
      const next = recent.after(place)
      switch (next.type) {
        case 'behind':
          for await (const page of readPages(place, recent.floor)) {
            if (page.text !== '') yield page.text
            place = page.place
            if (signal.aborted || findRecent() !== recent) break
          }
          break
        case 'live':
          await notifier.wait(signal, checkMs)
          break
        case 'events':
          yield next.text
          place = next.place
      }
    }
  }

  /** Of the stream that is followed now; undefined before the first. */
  function findRecent(): RecentEvents | undefined {
    return follower.state.type === 'connecting' ? undefined : follower.state.recent
  }

  function formatReset(): string {
    return formatEvent({event: 'reset', data: {streamSequence: findRecent()?.newest ?? 0}})
  }

  /** A listener that comes from another server, or after a long time, may have been in another stream. */
  async function isOfOtherStream({streamSequence, storedAtMs}: FeedPlace, signal: AbortSignal): Promise<boolean> {
    while (storedAtMs !== undefined && !signal.aborted) {
      try {
        const connection = link.session()
        if (connection) return !(await isStillThere(connection, subjects, {streamSequence, storedAtMs}))
      } catch (error) {
        logger.debug({err: error}, 'cannot look whether a listener was in this stream; trying again')
      }
      await sleep(retryMs)
    }
    return false
  }

  /** A listener may have a place from elsewhere that is ahead of what is followed here, but not one beyond the stream's end. */
  async function isBeyondEnd({newest}: RecentEvents, place: number): Promise<boolean> {
    const connection = link.session()
    if (place <= newest || !connection) return false
    const state = await readStreamState(connection, subjects).catch(() => undefined)
    return state !== undefined && place > state.lastSequence
  }

  /** Ends before `until`, after a while, when the stream cannot be read now. */
  async function* readPages(
    place: number,
    until: number,
  ): AsyncGenerator<{readonly place: number; readonly text: string}, void, undefined> {
    try {
      const connection = link.session()
      if (!connection) return await sleep(retryMs)
      for await (const page of readEventPages(connection, subjects, {after: place, until, pageEvents})) {
        const last = page.at(-1)?.streamSequence
        if (last !== undefined) yield {place: last, text: page.map(format).join('')}
      }
      // What was deleted from the stream is passed over.
      yield {place: until, text: ''}
    } catch (error) {
      logger.debug({err: error}, 'cannot read the stream from an earlier place; trying again')
      await sleep(retryMs)
    }
  }
}

function format(one: StreamedEvent): string {
  return formatEvent({id: formatPlace(one), data: toCloudEvent(one.event)})
}

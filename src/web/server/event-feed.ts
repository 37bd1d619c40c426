/**
 * All events for everybody who listens. The stream is followed once; its newest events are kept here, and who has fallen behind
 * them reads pages of the stream until he has caught up. MUST hold: each reader gets every event after his own place, once and in
 * order, and what is kept has a limit; achieved by going by places in the stream, and by when they were
 * taken, which tells one stream from another.
 */
import {setTimeout as sleep} from 'node:timers/promises'
import type {NatsConnection} from 'nats'
import {toCloudEvent} from '../../../machines/ledger/cloud-event.ts'
import {readEventPages} from '../../messaging/event-pages.ts'
import {readEvents} from '../../messaging/read-events.ts'
import {eventAt, isStillThere, type StreamedEvent, readStreamState, type StreamState} from '../../messaging/stream.ts'
import {createNotifier} from './notifier.ts'
import type {Backend} from './backend.ts'
import {type FeedPlace, formatPlace} from './feed-place.ts'
import {formatEvent} from './server-sent-events.ts'

export interface EventFeed {
  /** Events after `after`, formatted, several in a piece; or at last a `reset`, when the stream is not the one that `after` is of. */
  follow(after: FeedPlace, signal: AbortSignal): AsyncGenerator<string, void, undefined>
}

export interface EventFeedOptions {
  /** So many events are kept, and no more than so many characters of them. */
  readonly mostEvents?: number
  readonly mostCharacters?: number
}

interface InheritedDescriptor {
  readonly sequence: number
  readonly text: string
}

const pageEvents = 250
/** A piece is sent at once; the socket's own buffer is about as large. */
const pieceCharacters = 64 * 1024
const checkMs = 5_000
const retryMs = 250
const failedMs = 2_000

export function createEventFeed(
  {link, subjects, logger}: Pick<Backend, 'link' | 'subjects' | 'logger'>,
  {mostEvents = 5_000, mostCharacters = 8 * 1024 * 1024}: EventFeedOptions = {},
): EventFeed {
  const notifier = createNotifier()
  let kept: InheritedDescriptor[] = []
  let characters = 0
  /** Events after this one, up to the newest, are kept. */
  let floor = 0
  let newest = 0
  /** The one at `newest`; undefined when nothing is there. */
  let latest: StreamedEvent | undefined
  /** Another stream than before has another generation; 0 until one is followed. */
  let generation = 0
  let created: string | undefined
  let present: NatsConnection | undefined

  link.onSession(async (connection) => {
    present = connection
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

  return {follow}

  async function followOnce(connection: NatsConnection): Promise<void> {
    const state = await readStreamState(connection, subjects)
    if (generation === 0 || (await isAnother(connection, state))) {
      latest = state.lastSequence > 0 ? await eventAt(connection, subjects, state.lastSequence) : undefined
      begin(state)
    }
    created = state.created
    const stop = new AbortController()
    const watch = watchStream(connection, stop)
    try {
      const from = {streamSequence: newest + 1}
      const isRight = async () => !latest || (await isStillThere(connection, subjects, latest))
      for await (const event of readEvents(connection, subjects, {from, follow: true, signal: stop.signal, isRight, reader: 'page'}))
        keep(event)
    } finally {
      stop.abort()
      await watch
    }
  }

  /** A stream that was deleted or rolled back does not end what follows it: it falls silent. */
  async function watchStream(connection: NatsConnection, stop: AbortController): Promise<void> {
    let before = newest
    while (!stop.signal.aborted && !connection.isClosed()) {
      await sleep(checkMs, undefined, {signal: stop.signal}).catch(() => {})
      if (stop.signal.aborted) return
      const state = await readStreamState(connection, subjects).catch(() => undefined)
      const isBehind = state !== undefined && state.lastSequence > newest && newest === before
      before = newest
      if (state === undefined || isBehind || (await isAnother(connection, state).catch(() => true))) stop.abort()
    }
  }

  async function isAnother(connection: NatsConnection, state: StreamState): Promise<boolean> {
    if (state.created !== created || state.lastSequence < newest) return true
    return latest !== undefined && !(await isStillThere(connection, subjects, latest))
  }

  function begin({lastSequence}: StreamState): void {
    kept = []
    characters = 0
    floor = lastSequence
    newest = lastSequence
    generation += 1
    notifier.notify()
  }

  function keep(one: StreamedEvent): void {
    const {streamSequence} = one
    if (streamSequence <= newest) return
    const text = format(one)
    latest = one
    kept.push({sequence: streamSequence, text})
    characters += text.length
    newest = streamSequence
    // Half of it at once, so that an event costs the same however many are kept.
    if (kept.length > mostEvents || characters > mostCharacters) {
      const dropped = kept.splice(0, Math.ceil(kept.length / 2))
      floor = dropped.at(-1)?.sequence ?? floor
      characters = kept.reduce((sum, {text: {length}}) => sum + length, 0)
    }
    notifier.notify()
  }

  async function* follow(after: FeedPlace, signal: AbortSignal): AsyncGenerator<string, void, undefined> {
    while (generation === 0 && !signal.aborted) await notifier.wait(signal, retryMs)
    const own = generation
    let place = after.streamSequence
    const isOther = await isOfOther(after, signal)
    while (!signal.aborted) {
      if (isOther || generation !== own || (await isBeyondEnd(place))) {
        yield formatEvent({event: 'reset', data: {streamSequence: newest}})
        return
      }
      if (place < floor) {
        for await (const page of readPages(place)) {
          if (page.text !== '') yield page.text
          place = page.place
          if (signal.aborted || generation !== own) break
        }
        continue
      }
      const {place: next, text} = readKept(place)
      if (next === place) await notifier.wait(signal, checkMs)
      else yield text
      place = next
    }
  }

  /** Who comes back to another server than this may have been in another stream. */
  async function isOfOther({streamSequence, storedAtMs}: FeedPlace, signal: AbortSignal): Promise<boolean> {
    while (storedAtMs !== undefined && !signal.aborted) {
      try {
        if (present && !present.isClosed()) return !(await isStillThere(present, subjects, {streamSequence, storedAtMs}))
      } catch (error) {
        logger.debug({err: error}, 'cannot look whether a listener was in this stream; trying again')
      }
      await sleep(retryMs)
    }
    return false
  }

  /** Who has heard of an event elsewhere may be ahead of what we follow, but not of the stream. */
  async function isBeyondEnd(place: number): Promise<boolean> {
    if (place <= newest || !present || present.isClosed()) return false
    const state = await readStreamState(present, subjects).catch(() => undefined)
    return state !== undefined && place > state.lastSequence
  }

  function readKept(place: number): {readonly place: number; readonly text: string} {
    let text = ''
    let last = place
    for (let index = findFirst(place); index < kept.length && text.length < pieceCharacters; index += 1) {
      const next = kept[index]
      if (!next) break
      text += next.text
      last = next.sequence
    }
    return {place: last, text}
  }

  /** The index of the first kept event after a place; most readers are near the end. */
  function findFirst(place: number): number {
    const index = kept.findLastIndex(({sequence}) => sequence <= place)
    return index + 1
  }

  /** Up to where the kept ones begin; ends before when it cannot be read now, after a while. */
  async function* readPages(place: number): AsyncGenerator<{readonly place: number; readonly text: string}, void, undefined> {
    const connection = present
    const until = floor
    try {
      if (!connection || connection.isClosed()) return await sleep(retryMs)
      for await (const page of readEventPages(connection, subjects, {after: place, until, pageEvents})) {
        const last = page.at(-1)?.streamSequence
        if (last !== undefined) yield {place: last, text: page.map(format).join('')}
      }
      // What was deleted of the stream is passed over.
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

import {setTimeout as sleep} from 'node:timers/promises'
import {afterEach, beforeEach, expect, test} from 'vitest'
import type {LedgerEvent} from '../../../machines/ledger/events.ts'
import {parseLedgerEvent} from '../../../machines/ledger/cloud-event.ts'
import {createSystemClock} from '../../../src/kernel/clock.ts'
import {silentLogger} from '../../../src/kernel/log.ts'
import {createNatsLink, type NatsLink} from '../../../src/messaging/link.ts'
import {ensureEventStream, toStreamName} from '../../../src/messaging/stream.ts'
import type {FeedPlace} from '../../../src/web/server/feed-place.ts'
import {createEventFeed, type EventFeedOptions} from '../../../src/web/server/event-feed.ts'
import {numberedEvents} from '../../support/numbered-events.ts'
import {connection, publish, reconnect, server, subjects, web} from '../messaging/stream-fixture.ts'

const events = numberedEvents({address: web, uid: 'u1', count: 1_500})
const clock = createSystemClock()
let link: NatsLink

beforeEach(async () => {
  await ensureEventStream(connection, subjects)
  link = createNatsLink({readConnection: async () => server.connection, name: () => 'test', clock, logger: silentLogger})
  await link.connected()
})
afterEach(() => link[Symbol.asyncDispose]())

const open = (options?: EventFeedOptions) => createEventFeed({link, subjects, logger: silentLogger}, options)

interface Heard {
  readonly id: number
  readonly event: LedgerEvent
}

/** Until so many have come, or a reset. */
async function hear(
  feed: ReturnType<typeof open>,
  after: number | FeedPlace,
  count: number,
  pauseMs = 0,
): Promise<readonly (Heard | 'reset')[]> {
  const stop = new AbortController()
  const heard: (Heard | 'reset')[] = []
  try {
    for await (const piece of feed.follow(
      typeof after === 'number' ? {streamSequence: after, storedAtMs: undefined} : after,
      stop.signal,
    )) {
      heard.push(...piece.split('\n\n').filter(Boolean).map(parse))
      if (heard.length >= count || heard.includes('reset')) break
      if (pauseMs > 0) await sleep(pauseMs)
    }
    return heard
  } finally {
    stop.abort()
  }
}

function parse(message: string): Heard | 'reset' {
  if (message.startsWith('event: reset')) return 'reset'
  const [, id = '', data = ''] = /^id: (\d+)-\d+\ndata: (.*)$/.exec(message) ?? []
  return {id: Number(id), event: parseLedgerEvent(data)}
}

const sequences = (heard: readonly (Heard | 'reset')[]) => heard.map((one) => (one === 'reset' ? one : one.id))
const range = (first: number, last: number) => Array.from({length: last - first + 1}, (_, index) => first + index)

test('everything from the beginning comes once and in order, though few events are kept', async () => {
  await publish(...events.slice(0, 1_200))
  const feed = open({mostEvents: 20})
  const heard = await hear(feed, 0, 1_200)
  expect(sequences(heard)).toEqual(range(1, 1_200))
  expect(heard.map((one) => one !== 'reset' && one.event)).toEqual(events.slice(0, 1_200))
}, 60_000)

test('readers of all speeds get the same while events come', async () => {
  await publish(...events.slice(0, 50))
  const feed = open({mostEvents: 30})
  const readers = [hear(feed, 0, 400), hear(feed, 30, 370, 15), hear(feed, 50, 350)]
  await publish(...events.slice(50, 400))
  const heard = await Promise.all(readers)
  expect(heard.map(sequences)).toEqual([range(1, 400), range(31, 400), range(51, 400)])
}, 60_000)

test('a position that is not reached yet is waited for, and one beyond the end of the stream is reported', async () => {
  await publish(...events.slice(0, 5))
  const feed = open()
  expect(await hear(feed, 6, 1)).toEqual(['reset'])
  const waiting = hear(feed, 5, 1)
  await publish(...events.slice(5, 6))
  expect(sequences(await waiting)).toEqual([6])
})

test('another stream under the same name is reported to a reader that follows', async () => {
  await publish(...events.slice(0, 5))
  const feed = open()
  await hear(feed, 0, 5)
  const following = hear(feed, 5, 1)
  await sleep(200)
  const manager = await connection.jetstreamManager()
  await manager.streams.delete(toStreamName(subjects))
  await ensureEventStream(connection, subjects)
  await publish(...events.slice(5, 15))
  expect(await following).toEqual(['reset'])
  expect(sequences(await hear(feed, 0, 10))).toEqual(range(1, 10))
}, 60_000)

test('a reader that reconnects gets to know that the stream is another, though it is as long', async () => {
  await publish(...events.slice(0, 5))
  const {time} = await (await connection.jetstreamManager()).streams.getMessage(toStreamName(subjects), {seq: 5})
  const place = {streamSequence: 5, storedAtMs: time.getTime()}
  const same = hear(open(), place, 1)
  await publish(...events.slice(5, 6))
  expect(sequences(await same)).toEqual([6])
  await (await connection.jetstreamManager()).streams.delete(toStreamName(subjects))
  await ensureEventStream(connection, subjects)
  await publish(...events.slice(0, 8))
  expect(await hear(open(), place, 1)).toEqual(['reset'])
})

test('a restart of nats-server is not noticed', async () => {
  await publish(...events.slice(0, 5))
  const feed = open()
  await hear(feed, 0, 5)
  const following = hear(feed, 3, 7)
  await server.restart()
  await reconnect()
  await publish(...events.slice(5, 10))
  expect(sequences(await following)).toEqual(range(4, 10))
}, 60_000)

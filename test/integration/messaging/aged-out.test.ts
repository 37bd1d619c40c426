/** A stream with limits drops what is old: that is not a loss to be made good. */
import {nanos} from 'nats'
import {afterEach, expect, test} from 'vitest'
import {toEventId} from '../../../machines/ledger/cloud-event.ts'
import type {LedgerEvent} from '../../../machines/ledger/events.ts'
import {createSystemClock} from '../../../src/kernel/clock.ts'
import {silentLogger} from '../../../src/kernel/log.ts'
import {createNatsLink, type NatsLink} from '../../../src/messaging/link.ts'
import type {Rebuilding} from '../../../src/messaging/judge-comparison.ts'
import {createOutbox} from '../../../src/messaging/outbox.ts'
import {readEvents} from '../../../src/messaging/read-events.ts'
import {ensureEventStream} from '../../../src/messaging/stream.ts'
import {readStreamStanding, setStreamLimits} from '../../../src/messaging/stream-limits.ts'
import {connection, ofWeb, server, subjects, web} from './stream-fixture.ts'

const clock = createSystemClock()
let links: NatsLink[] = []
afterEach(async () => {
  for (const link of links) await link[Symbol.asyncDispose]()
  links = []
})

function open(events: LedgerEvent[], {fresh}: {readonly fresh: boolean}) {
  const rebuilt: Rebuilding[] = []
  const link = createNatsLink({readConnection: async () => server.connection, name: () => 'test', clock, logger: silentLogger})
  links.push(link)
  const source = {latestSequence: () => events.length, read: (after = 0) => events.slice(after)}
  const onRebuild = (rebuilding: Rebuilding) => void rebuilt.push(rebuilding)
  const outbox = createOutbox({source, link, subjects, address: web, uid: 'u1', clock, logger: silentLogger, fresh, onRebuild, lookMs: 200})
  return {outbox, rebuilt}
}

async function readStream(): Promise<readonly string[]> {
  const seen: string[] = []
  for await (const {event} of readEvents(connection, subjects, {follow: false})) seen.push(toEventId(event))
  return seen
}

/** Shorter than a node may ask for, so that the window in which doubles are found is shorter as well. */
async function shorten(seconds: number): Promise<void> {
  const window = {max_age: nanos(seconds * 1_000), duplicate_window: nanos(500)}
  await (await connection.jetstreamManager()).streams.update('TALLY_EVENTS', window)
}

test('a supervisor whose events have all aged out publishes what is new, and of the old ones the last alone', async () => {
  await ensureEventStream(connection, subjects)
  await shorten(1)
  const first = open(ofWeb.slice(0, 3), {fresh: true})
  expect(await first.outbox.whenAcknowledged(3, 5_000)).toBe(true)
  await expect.poll(readStream, {timeout: 60_000}).toEqual([])
  for (const link of links.splice(0)) await link[Symbol.asyncDispose]()
  await shorten(3_600)
  const second = open([...ofWeb], {fresh: false})
  expect(await second.outbox.whenAcknowledged(4, 5_000)).toBe(true)
  expect(await readStream()).toEqual(['u1:4'])
  expect(second.rebuilt).toEqual([])
})

test('one that lives on while its events age out publishes none of them again', async () => {
  await ensureEventStream(connection, subjects)
  await shorten(1)
  const events = ofWeb.slice(0, 3)
  const {outbox, rebuilt} = open([...events], {fresh: true})
  expect(await outbox.whenAcknowledged(3, 5_000)).toBe(true)
  await expect.poll(readStream, {timeout: 60_000}).toEqual([])
  // Several looks.
  await clock.sleep(1_500)
  expect([await readStream(), rebuilt]).toEqual([[], []])
})

test('a limited stream that was made again gets all that it can keep', async () => {
  await ensureEventStream(connection, subjects)
  await setStreamLimits(connection, subjects, {maxBytes: 1024 ** 2})
  const {outbox} = open([...ofWeb], {fresh: false})
  expect(await outbox.whenAcknowledged(4, 5_000)).toBe(true)
  expect(await readStream()).toEqual(['u1:1', 'u1:2', 'u1:3', 'u1:4'])
})

test('limits are set one by one, shown, and lifted; what the server does not grant is an error with its reason', async () => {
  await ensureEventStream(connection, subjects)
  const limits = async () => (await readStreamStanding(connection, subjects)).limits
  expect(await limits()).toEqual({replicas: 1, maxAgeMs: 0, maxBytes: 0})
  await setStreamLimits(connection, subjects, {maxAgeMs: 3_600_000})
  await setStreamLimits(connection, subjects, {maxBytes: 1_000_000})
  expect(await limits()).toEqual({replicas: 1, maxAgeMs: 3_600_000, maxBytes: 1_000_000})
  await setStreamLimits(connection, subjects, {maxAgeMs: 0, maxBytes: 0})
  expect(await limits()).toEqual({replicas: 1, maxAgeMs: 0, maxBytes: 0})
  await expect(setStreamLimits(connection, subjects, {replicas: 3})).rejects.toMatchObject({
    code: 'STREAM_LIMITS_REFUSED',
    message: expect.stringMatching(/^the NATS server refused 3 copies: /),
  })
  expect(await limits()).toEqual({replicas: 1, maxAgeMs: 0, maxBytes: 0})
})

import type {NatsConnection} from 'nats'
import {afterEach, beforeEach, expect, test} from 'vitest'
import {cloudEventContentType, parseLedgerEvent, toCloudEvent, toEventId} from '../../../machines/ledger/cloud-event.ts'
import type {LedgerEvent} from '../../../machines/ledger/events.ts'
import type {ContainerAddress} from '../../../machines/ledger/ids.ts'
import {createSystemClock} from '../../../src/kernel/clock.ts'
import {silentLogger} from '../../../src/kernel/log.ts'
import {encodeJson} from '../../../src/messaging/codec.ts'
import {createNatsLink, type NatsLink} from '../../../src/messaging/link.ts'
import {createOutbox, type Outbox} from '../../../src/messaging/outbox.ts'
import {readEvents} from '../../../src/messaging/read-events.ts'
import {ensureEventStream} from '../../../src/messaging/stream.ts'
import {createSubjects} from '../../../src/messaging/subjects.ts'
import {type NatsServer, startNatsServer} from '../../support/nats-server.ts'
import {numberedEvents} from '../../support/numbered-events.ts'

const subjects = createSubjects()
const address: ContainerAddress = {node: 'n1', namespace: 'default', id: 'web'}
const clock = createSystemClock()
let server: NatsServer
let links: NatsLink[]

beforeEach(async () => {
  links = []
  server = await startNatsServer()
  await withConnection((connection) => ensureEventStream(connection, subjects))
})

afterEach(async () => {
  for (const link of links) await link[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

const make = (count: number, first = 1, uid = 'u1') => numberedEvents({address, uid, count, first})

/** A journal in memory, and the outbox that publishes it. */
function open({
  history = [],
  fresh,
  uid = 'u1',
}: {
  readonly history?: readonly LedgerEvent[]
  readonly fresh: boolean
  readonly uid?: string
}) {
  const events = [...history]
  const link = createNatsLink({readConnection: async () => server.connection, name: () => 'test', clock, logger: silentLogger})
  links.push(link)
  const source = {latestSequence: () => events.length, read: (after = 0) => events.slice(after)}
  const outbox: Outbox = createOutbox({source, link, subjects, address, uid, clock, logger: silentLogger, fresh})
  const append = (...more: readonly LedgerEvent[]) => {
    events.push(...more)
    outbox.poke()
  }
  return {outbox, append, link}
}

async function withConnection<T>(work: (connection: NatsConnection) => Promise<T>): Promise<T> {
  const connection = await server.connect()
  try {
    return await work(connection)
  } finally {
    await connection.close()
  }
}

function readStream(): Promise<readonly string[]> {
  return withConnection(async (connection) => {
    const seen: string[] = []
    for await (const {event} of readEvents(connection, subjects, {follow: false})) seen.push(toEventId(event))
    return seen
  })
}

/** As an earlier session did: without `Nats-Msg-Id` the server cannot recognise them, as if its window had passed. */
function publishUnmarked(events: readonly LedgerEvent[]): Promise<void> {
  return withConnection(async (connection) => {
    for (const event of events) await connection.jetstream().publish(subjects.event(address, event.type), encodeJson(toCloudEvent(event)))
  })
}

const idsOf = (events: readonly LedgerEvent[]) => events.map(toEventId)

test('publishes what is in the journal and what comes, in order, on the subject of each type, as CloudEvents', async () => {
  const {outbox, append} = open({history: make(3), fresh: true})
  expect(await outbox.whenAcknowledged(3, 5_000)).toBe(true)
  append(...make(2, 4))
  expect(await outbox.whenAcknowledged(5, 5_000)).toBe(true)
  expect(outbox.acknowledged).toBe(5)
  expect(await readStream()).toEqual(idsOf(make(5)))
  const message = await withConnection(async (connection) =>
    (await connection.jetstreamManager()).streams.getMessage('TALLY_EVENTS', {seq: 2}),
  )
  expect(message.subject).toBe('tally.evt.n1.default.web.container.started')
  expect(message.header.get('Content-Type')).toBe(cloudEventContentType)
  expect(message.header.get('Nats-Msg-Id')).toBe('u1:2')
  expect(parseLedgerEvent(message.string())).toEqual(make(1, 2)[0])
})

test('an acknowledgement that does not come in time is not waited for', async () => {
  const {outbox} = open({history: make(1), fresh: true})
  expect(await outbox.whenAcknowledged(1, 5_000)).toBe(true)
  expect(await outbox.whenAcknowledged(2, 50)).toBe(false)
})

test('200 events arrive once each and in order, though the server is killed and started again in their middle, twice', async () => {
  const {outbox, append} = open({fresh: true})
  const events = make(200)
  append(...events.slice(0, 150))
  expect(await outbox.whenAcknowledged(20, 10_000)).toBe(true)
  await server.kill()
  expect(outbox.acknowledged).toBeLessThan(150)
  append(...events.slice(150, 190))
  await server.restart()
  expect(await outbox.whenAcknowledged(160, 10_000)).toBe(true)
  await server.kill()
  append(...events.slice(190))
  await server.restart()
  expect(await outbox.whenAcknowledged(200, 20_000)).toBe(true)
  expect(await readStream()).toEqual(idsOf(events))
})

test('what was journaled before the server was ever there arrives when it comes', async () => {
  await server.kill()
  const {outbox} = open({history: make(10), fresh: true})
  expect(await outbox.whenAcknowledged(1, 300)).toBe(false)
  await server.restart()
  expect(await outbox.whenAcknowledged(10, 10_000)).toBe(true)
  expect(await readStream()).toEqual(idsOf(make(10)))
})

test('an event whose acknowledgement was lost longer ago than the stream remembers is not doubled: the stream is asked', async () => {
  await publishUnmarked(make(5))
  const {outbox} = open({history: make(8), fresh: false})
  expect(await outbox.whenAcknowledged(8, 5_000)).toBe(true)
  expect(await readStream()).toEqual(idsOf(make(8)))
})

test('with nothing in the stream yet, one that is not fresh begins at the beginning', async () => {
  const {outbox} = open({history: make(2), fresh: false})
  expect(await outbox.whenAcknowledged(2, 5_000)).toBe(true)
  expect(await readStream()).toEqual(idsOf(make(2)))
})

test('what another container with the same address left in the stream is not taken for our own', async () => {
  await publishUnmarked(make(5, 1, 'former'))
  const {outbox} = open({history: make(3), fresh: false})
  expect(await outbox.whenAcknowledged(3, 5_000)).toBe(true)
  expect(await readStream()).toEqual([...idsOf(make(5, 1, 'former')), ...idsOf(make(3))])
})

test('each session compares with the stream, and so does not double what was published without an acknowledgement', async () => {
  const {outbox, append} = open({history: make(2), fresh: true})
  await outbox.whenAcknowledged(2, 5_000)
  // As if our publications of 3 and 4 had arrived, and their acknowledgements not.
  await publishUnmarked(make(2, 3))
  await server.restart()
  append(...make(4, 3))
  expect(await outbox.whenAcknowledged(6, 10_000)).toBe(true)
  expect(await readStream()).toEqual(idsOf(make(6)))
})

test('a stream that was deleted is made again, and the whole history with it', async () => {
  const {outbox, append} = open({history: make(3), fresh: true})
  await outbox.whenAcknowledged(3, 5_000)
  await withConnection(async (connection) => (await connection.jetstreamManager()).streams.delete('TALLY_EVENTS'))
  append(...make(1, 4))
  await expect.poll(() => outbox.acknowledged, {timeout: 60_000}).toBe(4)
  expect(await readStream()).toEqual(idsOf(make(4)))
})

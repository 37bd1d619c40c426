import {setTimeout as sleep} from 'node:timers/promises'
import type {NatsConnection} from 'nats'
import {afterEach, beforeEach, expect, test} from 'vitest'
import {toCloudEvent} from '../../../machines/cloud-event.ts'
import type {LedgerEvent} from '../../../machines/events.ts'
import {type ContainerAddress, parseSource} from '../../../machines/ids.ts'
import {encodeJson} from '../../../src/messaging/codec.ts'
import {
  ensureEventStream,
  isStreamMissing,
  lastEventOf,
  lastStreamSequence,
  type ReadOptions,
  readEvents,
  toStreamName,
} from '../../../src/messaging/stream.ts'
import {createSubjects} from '../../../src/messaging/subjects.ts'
import {type NatsServer, startNatsServer} from '../../support/nats-server.ts'
import {numberedEvents} from '../../support/numbered-events.ts'

const subjects = createSubjects()
const web: ContainerAddress = {node: 'n1', namespace: 'default', id: 'web'}
const db: ContainerAddress = {node: 'n1', namespace: 'other', id: 'db'}
let server: NatsServer
let connection: NatsConnection

beforeEach(async () => {
  server = await startNatsServer()
  connection = await server.connect()
})

afterEach(async () => {
  await connection.close()
  await server[Symbol.asyncDispose]()
})

async function publish(...events: readonly LedgerEvent[]): Promise<void> {
  for (const event of events) {
    const address = parseSource(event.source)
    if (!address) throw new Error(`no address: ${event.source}`)
    await connection.jetstream().publish(subjects.event(address, event.type), encodeJson(toCloudEvent(event)))
  }
}

async function readAll(options: Omit<ReadOptions, 'follow'> = {}): Promise<readonly string[]> {
  const seen: string[] = []
  for await (const {event, streamSequence} of readEvents(connection, subjects, {...options, follow: false})) {
    seen.push(`${streamSequence} ${event.uid}:${event.sequence} ${event.type}`)
  }
  return seen
}

const ofWeb = numberedEvents({address: web, uid: 'u1', count: 4})
const ofDb = numberedEvents({address: db, uid: 'u2', count: 2})

test('the stream is made once, however often and from however many sides it is asked for', async () => {
  const other = await server.connect()
  await Promise.all([connection, other, connection, other].map((each) => ensureEventStream(each, subjects)))
  await publish(...ofWeb)
  await ensureEventStream(connection, subjects)
  const {config, state} = await (await connection.jetstreamManager()).streams.info('TALLY_EVENTS')
  expect(config).toMatchObject({subjects: ['tally.evt.>'], storage: 'file', retention: 'limits', duplicate_window: 120_000_000_000})
  expect(state.messages).toBe(4)
  await other.close()
})

test('another prefix has a stream of its own', async () => {
  const others = createSubjects('acme.prod')
  await ensureEventStream(connection, others)
  await ensureEventStream(connection, subjects)
  expect(toStreamName(others)).toBe('ACME_PROD_EVENTS')
  await publish(...ofWeb)
  expect([await lastStreamSequence(connection, subjects), await lastStreamSequence(connection, others)]).toEqual([4, 0])
})

test('a server without JetStream is JETSTREAM_UNAVAILABLE', async () => {
  await using plain = await startNatsServer({jetstream: false})
  const toPlain = await plain.connect()
  await expect(ensureEventStream(toPlain, subjects)).rejects.toMatchObject({code: 'JETSTREAM_UNAVAILABLE', kind: 'unavailable'})
  await toPlain.close()
})

test('a stream of the same name that holds something else is JETSTREAM_UNAVAILABLE, and is left as it is', async () => {
  const manager = await connection.jetstreamManager()
  await manager.streams.add({name: 'TALLY_EVENTS', subjects: ['orders.>']})
  await expect(ensureEventStream(connection, subjects)).rejects.toMatchObject({
    code: 'JETSTREAM_UNAVAILABLE',
    message: 'expected stream TALLY_EVENTS to hold tally.evt.>, got orders.>',
  })
  expect((await manager.streams.info('TALLY_EVENTS')).config.subjects).toEqual(['orders.>'])
})

test('the last event of an address is its newest, whatever its type and whatever others did since', async () => {
  await ensureEventStream(connection, subjects)
  expect(await lastEventOf(connection, subjects, web)).toBeUndefined()
  await publish(...ofWeb, ...ofDb)
  expect(await lastEventOf(connection, subjects, web)).toEqual(ofWeb[3])
  expect(await lastEventOf(connection, subjects, {...web, namespace: 'other'})).toBeUndefined()
})

test('asking a stream that is missing is an error that says so', async () => {
  const error: unknown = await lastEventOf(connection, subjects, web).catch((reason: unknown) => reason)
  expect(isStreamMissing(error)).toBe(true)
  expect(isStreamMissing(new Error('something else'))).toBe(false)
})

test('history is read in the order of the stream, with its places there, and ends', async () => {
  await ensureEventStream(connection, subjects)
  expect(await readAll()).toEqual([])
  await publish(...ofWeb.slice(0, 2), ...ofDb)
  expect(await readAll()).toEqual([
    '1 u1:1 container.signalled',
    '2 u1:2 container.started',
    '3 u2:1 container.signalled',
    '4 u2:2 container.started',
  ])
})

test('history longer than what is fetched at once comes whole', async () => {
  await ensureEventStream(connection, subjects)
  const many = numberedEvents({address: web, uid: 'u1', count: 1_200})
  await publish(...many)
  const seen = await readAll()
  expect(seen).toEqual(many.map(({sequence, type}) => `${sequence} u1:${sequence} ${type}`))
})

test.each<[string, ReadOptions['filter'], readonly string[]]>([
  ['one container', {node: 'n1', namespace: 'default', id: 'web'}, ['1', '2', '5', '6']],
  ['one namespace', {namespace: 'other'}, ['3', '4']],
  ['one type', {type: 'container.started'}, ['2', '4', '6']],
  ['one type of one container', {id: 'web', type: 'container.signalled'}, ['1', '5']],
  ['one that never was', {id: 'nobody'}, []],
])('a filter for %s lets through what matches, and history still ends', async (_what, filter, places) => {
  await ensureEventStream(connection, subjects)
  await publish(...ofWeb.slice(0, 2), ...ofDb, ...ofWeb.slice(2))
  expect((await readAll({...(filter && {filter})})).map((line) => line.split(' ')[0])).toEqual(places)
})

test('reading can begin at a place in the stream, or at a time', async () => {
  await ensureEventStream(connection, subjects)
  await publish(...ofWeb.slice(0, 2))
  // A Date has whole milliseconds.
  await sleep(5)
  await publish(...ofWeb.slice(2, 3))
  const {time} = await (await connection.jetstreamManager()).streams.getMessage('TALLY_EVENTS', {seq: 3})
  expect(await readAll({from: {streamSequence: 2}})).toHaveLength(2)
  expect(await readAll({from: {time}})).toEqual(['3 u1:3 container.signalled'])
  expect(await readAll({from: {streamSequence: 4}})).toEqual([])
})

test('following goes on with what comes, until it is told to stop, and leaves no consumer', async () => {
  await ensureEventStream(connection, subjects)
  await publish(...ofWeb.slice(0, 2))
  const stop = new AbortController()
  const seen: number[] = []
  for await (const {event} of readEvents(connection, subjects, {follow: true, signal: stop.signal})) {
    seen.push(event.sequence)
    if (event.sequence === 2) await publish(...ofWeb.slice(2))
    if (event.sequence === 4) stop.abort()
  }
  expect(seen).toEqual([1, 2, 3, 4])
  const consumers = await (await connection.jetstreamManager()).consumers.list('TALLY_EVENTS').next()
  expect(consumers).toEqual([])
})

test('following a stream where nothing happens ends when it is told to', async () => {
  await ensureEventStream(connection, subjects)
  const stop = new AbortController()
  setTimeout(() => stop.abort(), 200)
  const {done} = await readEvents(connection, subjects, {follow: true, signal: stop.signal}).next()
  expect([done, stop.signal.aborted]).toEqual([true, true])
})

test('following ends without an error when the server dies, and can be taken up behind the last place', async () => {
  await ensureEventStream(connection, subjects)
  await publish(...ofWeb.slice(0, 2))
  const places: number[] = []
  for await (const {streamSequence} of readEvents(connection, subjects, {follow: true})) {
    places.push(streamSequence)
    if (streamSequence === 2) await server.restart()
  }
  connection = await server.connect()
  await publish(...ofWeb.slice(2))
  for await (const {streamSequence} of readEvents(connection, subjects, {follow: false, from: {streamSequence: 3}}))
    places.push(streamSequence)
  expect(places).toEqual([1, 2, 3, 4])
})

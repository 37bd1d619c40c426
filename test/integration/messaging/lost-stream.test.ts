/** The stream is deleted, purged or replaced under a supervisor: it gets every event once and in order again, and an event says so. */
import {cpSync, rmSync} from 'node:fs'
import {join} from 'node:path'
import type {NatsConnection, StreamAPI} from 'nats'
import {afterEach, beforeEach, expect, test} from 'vitest'
import {toCloudEvent, toEventId} from '../../../machines/ledger/cloud-event.ts'
import type {LedgerEvent} from '../../../machines/ledger/events.ts'
import type {ContainerAddress} from '../../../machines/ledger/ids.ts'
import {createSystemClock} from '../../../src/kernel/clock.ts'
import {silentLogger} from '../../../src/kernel/log.ts'
import {encodeJson} from '../../../src/messaging/codec.ts'
import {createEventReader} from '../../../src/messaging/event-reader.ts'
import {createNatsLink, type NatsLink} from '../../../src/messaging/link.ts'
import type {Rebuilding} from '../../../src/messaging/judge-comparison.ts'
import {createOutbox} from '../../../src/messaging/outbox.ts'
import {readEvents} from '../../../src/messaging/read-events.ts'
import {ensureEventStream} from '../../../src/messaging/stream.ts'
import {createSubjects} from '../../../src/messaging/subjects.ts'
import {type NatsServer, startNatsServer} from '../../support/nats-server.ts'
import {numberedEvents} from '../../support/numbered-events.ts'
import {makeTempDir, type TempDir} from '../../support/temp-dir.ts'

const subjects = createSubjects()
const clock = createSystemClock()
const stream = 'TALLY_EVENTS'
const toAddress = (id: string): ContainerAddress => ({node: 'n1', namespace: 'default', id})
let dir: TempDir
let store: string
let server: NatsServer
let links: NatsLink[]

beforeEach(async () => {
  links = []
  dir = makeTempDir()
  store = join(dir.path, 'store')
  server = await startNatsServer({storeDir: store})
  await withConnection((connection) => ensureEventStream(connection, subjects))
})

afterEach(async () => {
  for (const link of links) await link[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
  await dir[Symbol.asyncDispose]()
})

const make = (id: string, count: number, first = 1) => numberedEvents({address: toAddress(id), uid: `u-${id}`, count, first})
const idsOf = (events: readonly LedgerEvent[]) => events.map(toEventId)

/** One container's journal and outbox. */
function open(
  id: string,
  {history = [], lookMs, fresh = history.length === 0}: {history?: readonly LedgerEvent[]; lookMs?: number; fresh?: boolean} = {},
) {
  const events = [...history]
  const rebuilt: Rebuilding[] = []
  const link = createNatsLink({readConnection: async () => server.connection, name: () => 'test', clock, logger: silentLogger})
  links.push(link)
  const outbox = createOutbox({
    source: {latestSequence: () => events.length, read: (after = 0) => events.slice(after)},
    link,
    subjects,
    address: toAddress(id),
    uid: `u-${id}`,
    clock,
    logger: silentLogger,
    fresh,
    onRebuild: (rebuilding) => rebuilt.push(rebuilding),
    ...(lookMs !== undefined && {lookMs}),
  })
  const append = async (count: number) => {
    events.push(...make(id, count, events.length + 1))
    outbox.poke()
    expect(await outbox.whenAcknowledged(events.length, 10_000)).toBe(true)
  }
  return {outbox, append, events, rebuilt}
}

async function withConnection<T>(work: (connection: NatsConnection) => Promise<T>): Promise<T> {
  const connection = await server.connect()
  try {
    return await work(connection)
  } finally {
    await connection.close()
  }
}

const manage = <T>(work: (streams: StreamAPI) => Promise<T>) =>
  withConnection(async (connection) => await work((await connection.jetstreamManager()).streams))

async function readOf(id: string): Promise<readonly string[]> {
  return await withConnection(async (connection) => {
    const seen: string[] = []
    try {
      for await (const {event} of readEvents(connection, subjects, {filter: toAddress(id), follow: false})) seen.push(toEventId(event))
    } catch {
      return ['no stream']
    }
    return seen
  })
}

const has = (id: string, count: number, timeout = 10_000) => expect.poll(() => readOf(id), {timeout}).toEqual(idsOf(make(id, count)))

test('a stream that is deleted under idle supervisors is made again at once, with all that they have', async () => {
  const [web, db] = [open('web'), open('db')]
  await web.append(3)
  await db.append(4)
  await manage((streams) => streams.delete(stream))
  await has('web', 3, 5_000)
  await has('db', 4, 5_000)
  expect([web.rebuilt, db.rebuilt]).toEqual([[{from: 1, missing: 3, removed: 0}], [{from: 1, missing: 4, removed: 0}]])
})

test('a purge is noticed at the next look, and undone although the server still remembers the messages', async () => {
  const web = open('web', {lookMs: 200})
  await web.append(5)
  await manage((streams) => streams.purge(stream))
  await has('web', 5)
  expect(web.rebuilt).toEqual([{from: 1, missing: 5, removed: 0}])
  await manage((streams) => streams.purge(stream))
  await has('web', 5)
  await web.append(1)
  await has('web', 6)
})

test('what is published first after a purge, before it was noticed, comes behind what is missing', async () => {
  const web = open('web')
  await web.append(3)
  await manage((streams) => streams.delete(stream))
  // Another client makes it again, and the advisory of that is slower than the next event.
  await manage((streams) => streams.add({name: stream, subjects: ['tally.evt.>']}))
  await web.append(1)
  await has('web', 4)
})

test('a gap, a repetition and a wrong order are put right when the stream is compared, and no other container is touched', async () => {
  const [web, db] = [open('web'), open('db')]
  await web.append(6)
  await db.append(2)
  await manage((streams) => streams.deleteMessage(stream, 3))
  expect(await web.outbox.compare()).toMatchObject({kept: {sequence: 2}, wrong: [{}, {}, {}]})
  expect(await web.outbox.whenAcknowledged(6, 10_000)).toBe(true)
  await has('web', 6)
  expect(web.rebuilt).toEqual([{from: 3, missing: 1, removed: 3}])
  const again = make('web', 1, 5)[0]
  await withConnection(async (connection) => {
    for (const event of again ? [again, again] : [])
      await connection.jetstream().publish(subjects.event(toAddress('web'), event.type), encodeJson(toCloudEvent(event)))
  })
  expect(await web.outbox.compare()).toMatchObject({kept: {sequence: 6}, wrong: [{}, {}]})
  await has('web', 6)
  await has('db', 2)
  expect(db.rebuilt).toEqual([])
})

test('an old copy of the store under a killed server: what came after it is published again', async () => {
  const [web, db] = [open('web'), open('db')]
  await web.append(3)
  await server.restart()
  const copy = join(dir.path, 'copy')
  await server.kill()
  cpSync(store, copy, {recursive: true})
  await server.restart()
  await web.append(3)
  await db.append(3)
  await server.kill()
  rmSync(store, {recursive: true})
  cpSync(copy, store, {recursive: true})
  await server.restart()
  await has('web', 6)
  await has('db', 3)
  expect(web.rebuilt).toEqual([{from: 4, missing: 3, removed: 0}])
  expect(db.rebuilt).toEqual([{from: 1, missing: 3, removed: 0}])
})

test('what was taken out of the stream is looked for again when the server was killed: it may not have written that', async () => {
  const web = open('web')
  await web.append(2)
  await manage((streams) => streams.purge(stream))
  // Behind a gap, until that is noticed.
  await web.append(1)
  await has('web', 3)
  const [again] = make('web', 1)
  // What a killed server brings back stands between the first and the latest, which are in their places.
  await withConnection(async (connection) => {
    if (again) await connection.jetstream().publish(subjects.event(toAddress('web'), again.type), encodeJson(toCloudEvent(again)))
  })
  await web.append(1)
  await server.restart()
  await has('web', 4)
})

test('a supervisor that takes over finds a gap that its predecessor has not lived to mend', async () => {
  const web = open('web')
  await web.append(6)
  await links.pop()?.[Symbol.asyncDispose]()
  await manage((streams) => streams.deleteMessage(stream, 2))
  const next = open('web', {history: make('web', 7)})
  expect(await next.outbox.whenAcknowledged(7, 10_000)).toBe(true)
  await has('web', 7)
  expect(next.rebuilt).toEqual([{from: 2, missing: 0, removed: 4}])
})

test('what the limits of a stream have dropped is not published again, and what they let stand is not taken for wrong', async () => {
  await manage(async (streams) => streams.update(stream, {...(await streams.info(stream)).config, max_msgs: 4}))
  const [web, db] = [open('web', {lookMs: 200}), open('db', {lookMs: 200})]
  await web.append(6)
  await expect.poll(() => readOf('web')).toEqual(idsOf(make('web', 4, 3)))
  await db.append(2)
  await clock.sleep(800)
  expect([await readOf('web'), await readOf('db')]).toEqual([idsOf(make('web', 2, 5)), idsOf(make('db', 2))])
  await db.append(3)
  await clock.sleep(800)
  expect([await readOf('web'), await readOf('db')]).toEqual([[], idsOf(make('db', 4, 2))])
  await web.append(1)
  expect([await readOf('web'), web.rebuilt, db.rebuilt]).toEqual([idsOf(make('web', 1, 7)), [], []])
})

test('a reader that follows gets every event once and in order over a deletion, a purge and a restored copy', async () => {
  const [web, db] = [open('web', {lookMs: 200}), open('db', {lookMs: 200})]
  const seen: Record<string, number[]> = {'u-web': [], 'u-db': []}
  let others = 0
  const reader = createEventReader(subjects, {
    follow: true,
    onOther: () => {
      others += 1
    },
  })
  const link = createNatsLink({readConnection: async () => server.connection, name: () => 'reader', clock, logger: silentLogger})
  links.push(link)
  link.onSession(async (connection) => {
    while (!connection.isClosed()) {
      try {
        for await (const {event} of reader.read(connection)) seen[event.uid]?.push(event.sequence)
      } catch {}
      await clock.sleep(50)
    }
  })
  const follows = (webCount: number, dbCount: number) =>
    expect
      .poll(() => seen, {timeout: 60_000})
      .toEqual({
        'u-web': Array.from({length: webCount}, (_, index) => index + 1),
        'u-db': Array.from({length: dbCount}, (_, index) => index + 1),
      })
  await web.append(3)
  await db.append(3)
  await follows(3, 3)
  await manage((streams) => streams.delete(stream))
  await has('web', 3)
  await web.append(2)
  await follows(5, 3)
  await manage((streams) => streams.purge(stream))
  await db.append(2)
  await has('web', 5)
  await has('db', 5)
  await follows(5, 5)
  await server.kill()
  const copy = join(dir.path, 'copy')
  cpSync(store, copy, {recursive: true})
  await server.restart()
  await web.append(4)
  await follows(9, 5)
  await server.kill()
  rmSync(store, {recursive: true})
  cpSync(copy, store, {recursive: true})
  await server.restart()
  await db.append(4)
  await has('web', 9)
  await has('db', 9)
  await follows(9, 9)
  expect(others).toBeGreaterThanOrEqual(1)
})

test('a reader that begins while there is no stream waits for it', async () => {
  await manage((streams) => streams.delete(stream))
  const connection = await server.connect()
  const seen: string[] = []
  const reading = (async () => {
    for await (const {event} of createEventReader(subjects, {follow: true}).read(connection)) seen.push(toEventId(event))
  })()
  await clock.sleep(600)
  await open('web').append(2)
  await expect.poll(() => seen).toEqual(idsOf(make('web', 2)))
  await connection.close()
  await reading
})

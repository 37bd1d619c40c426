import {expect, test} from 'vitest'
import {ensureEventStream, isStreamMissing, lastEventOf, lastStreamSequence, toStreamName} from '../../../src/messaging/stream.ts'
import {createSubjects} from '../../../src/messaging/subjects.ts'
import {startNatsServer} from '../../support/nats-server.ts'
import {connection, ofDb, ofWeb, publish, server, subjects, web} from './stream-fixture.ts'

test('the stream is made once, however many connections make it at once', async () => {
  const other = await server.connect()
  await Promise.all([connection, other, connection, other].map((each) => ensureEventStream(each, subjects)))
  await publish(...ofWeb)
  await ensureEventStream(connection, subjects)
  const {config, state} = await (await connection.jetstreamManager()).streams.info('TALLY_EVENTS')
  expect(config).toMatchObject({subjects: ['tally.evt.>'], storage: 'file', retention: 'limits', duplicate_window: 120_000_000_000})
  expect(state.messages).toBe(4)
  await other.close()
})

test('the stream has a description, one of an older release gets it, and keeps one that a user has written', async () => {
  const manager = await connection.jetstreamManager()
  await manager.streams.add({name: 'TALLY_EVENTS', subjects: ['tally.evt.>'], max_age: 3_600e9})
  await ensureEventStream(connection, subjects)
  const read = async () => (await manager.streams.info('TALLY_EVENTS')).config
  expect(await read()).toMatchObject({description: expect.stringContaining('Tallyman'), max_age: 3_600e9})
  await manager.streams.update('TALLY_EVENTS', {description: 'ours'})
  await ensureEventStream(connection, subjects)
  expect(await read()).toMatchObject({description: 'ours'})
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
  expect(await lastEventOf(connection, subjects, web)).toEqual({
    event: ofWeb[3],
    streamSequence: expect.any(Number),
    storedAtMs: expect.any(Number),
  })
  expect(await lastEventOf(connection, subjects, {...web, namespace: 'other'})).toBeUndefined()
})

test('asking a stream that is missing is an error that says so', async () => {
  const error: unknown = await lastEventOf(connection, subjects, web).catch((reason: unknown) => reason)
  expect(isStreamMissing(error)).toBe(true)
  expect(isStreamMissing(new Error('something else'))).toBe(false)
})

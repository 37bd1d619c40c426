import {setTimeout as sleep} from 'node:timers/promises'
import {expect, test} from 'vitest'
import {createEventReader} from '../../../src/messaging/event-reader.ts'
import {type ReadOptions, readEvents} from '../../../src/messaging/read-events.ts'
import {ensureEventStream} from '../../../src/messaging/stream.ts'
import {numberedEvents} from '../../support/numbered-events.ts'
import {connection, ofDb, ofWeb, publish, reconnect, server, subjects, web} from './stream-fixture.ts'

async function readAll(options: Omit<ReadOptions, 'follow'> = {}): Promise<readonly string[]> {
  const seen: string[] = []
  for await (const {event, streamSequence} of readEvents(connection, subjects, {...options, follow: false})) {
    seen.push(`${streamSequence} ${event.uid}:${event.sequence} ${event.type}`)
  }
  return seen
}

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

test('following goes on with what comes, until it is stopped, and leaves no consumer', async () => {
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

test('following a stream where nothing happens ends when it is stopped', async () => {
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
  await reconnect()
  await publish(...ofWeb.slice(2))
  for await (const {streamSequence} of readEvents(connection, subjects, {follow: false, from: {streamSequence: 3}}))
    places.push(streamSequence)
  expect(places).toEqual([1, 2, 3, 4])
})

test('in a stream that was made again, what came before the event that was read last, in that very place, is read', async () => {
  const reader = createEventReader(subjects, {follow: false})
  const seen: string[] = []
  const read = async () => {
    for await (const {event} of reader.read(connection)) seen.push(`${event.uid}:${event.sequence}`)
  }
  await ensureEventStream(connection, subjects)
  await publish(...ofWeb.slice(0, 2), ...ofDb)
  await read()
  expect(seen).toEqual(['u1:1', 'u1:2', 'u2:1', 'u2:2'])

  await (await connection.jetstreamManager()).streams.delete('TALLY_EVENTS')
  await ensureEventStream(connection, subjects)
  const ofOther = numberedEvents({address: {...web, id: 'other'}, uid: 'u3', count: 1})
  await publish(...ofWeb.slice(0, 1), ...ofOther, ...ofDb, ...ofWeb.slice(1, 2))
  await read()
  expect(seen.slice(4)).toEqual(['u3:1'])
  await read()
  expect(seen).toHaveLength(5)
})

test('the consumer has the name of its reader, and two of one name do not clash', async () => {
  await ensureEventStream(connection, subjects)
  await publish(...ofWeb)
  const manager = await connection.jetstreamManager()
  const readings = [1, 2].map(() => readEvents(connection, subjects, {follow: true, reader: 'coordinator-n1'}))
  for (const reading of readings) await reading.next()
  const names = (await manager.consumers.list('TALLY_EVENTS').next()).map(({name}) => name)
  expect(names).toEqual([expect.stringMatching(/^tally-coordinator-n1-\w{8}$/), expect.stringMatching(/^tally-coordinator-n1-\w{8}$/)])
  expect(await Promise.all(readings.map(async (reading) => (await reading.next()).value?.streamSequence))).toEqual([2, 2])
  for (const reading of readings) await reading.return(undefined)
})

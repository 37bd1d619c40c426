import {connect} from 'nats'
import {expect, test} from 'vitest'
import {readEvents} from '../../../src/messaging/read-events.ts'
import {ensureEventStream} from '../../../src/messaging/stream.ts'
import {startDeafProxy} from '../../support/deaf-proxy.ts'
import {numberedEvents} from '../../support/numbered-events.ts'
import {connection, ofWeb, publish, server, subjects, web} from './stream-fixture.ts'

test.each([
  ['from its beginning', 0],
  ['behind the second event', 2],
])('a reading to the end that stalls %s says so within its time', async (_where, letThrough) => {
  await ensureEventStream(connection, subjects)
  await publish(...ofWeb)
  await using proxy = await startDeafProxy(server.port, letThrough)
  const deaf = await connect({servers: proxy.url, user: server.credentials.user, pass: server.credentials.password, reconnect: false})
  const seen: number[] = []
  const reading = (async () => {
    for await (const {event} of readEvents(deaf, subjects, {follow: false, stallMs: 400})) seen.push(event.sequence)
  })()
  await expect(reading).rejects.toMatchObject({
    code: 'STREAM_UNREADABLE',
    kind: 'unavailable',
    message: `stream TALLY_EVENTS cannot be read ${letThrough === 0 ? 'from its beginning on' : 'behind event 2'}: the server has ${4 - letThrough} more and has sent none for 0.4 s`,
    details: {behind: letThrough, missing: 4 - letThrough},
  })
  expect(seen).toEqual([1, 2, 3, 4].slice(0, letThrough))
  await deaf.close()
})

test('following a stream that stalls says so, and one in which nothing happens goes on', async () => {
  await ensureEventStream(connection, subjects)
  await publish(...ofWeb.slice(0, 2))
  await using proxy = await startDeafProxy(server.port, 3)
  const deaf = await connect({servers: proxy.url, user: server.credentials.user, pass: server.credentials.password, reconnect: false})
  const seen: number[] = []
  const reading = (async () => {
    for await (const {event} of readEvents(deaf, subjects, {follow: true, stallMs: 400})) seen.push(event.sequence)
  })()
  reading.catch(() => {})
  // Several looks.
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  await publish(...ofWeb.slice(2))
  await expect(reading).rejects.toMatchObject({code: 'STREAM_UNREADABLE'})
  expect(seen).toEqual([1, 2, 3])
  await deaf.close()
})

test('a reading to the end whose connection is lost does not pass for one that got there', async () => {
  await ensureEventStream(connection, subjects)
  // More than are fetched at once.
  await publish(...numberedEvents({address: web, uid: 'u1', count: 1_200}))
  const other = await server.connect()
  const reading = (async () => {
    for await (const {event} of readEvents(other, subjects, {follow: false})) if (event.sequence === 2) await server.kill()
  })()
  await expect(reading).rejects.toMatchObject({code: 'NATS_UNREACHABLE'})
})

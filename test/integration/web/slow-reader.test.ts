import {once} from 'node:events'
import {createServer} from 'node:http'
import {connect} from 'node:net'
import {setTimeout as sleep} from 'node:timers/promises'
import {getRequestListener} from '@hono/node-server'
import {Hono} from 'hono'
import {afterEach, beforeEach, expect, test} from 'vitest'
import type {AppEnvironment} from '../../../src/web/server/app-environment.ts'
import {createSystemClock} from '../../../src/kernel/clock.ts'
import {toEventStream} from '../../../src/web/server/server-sent-events.ts'

const pieceBytes = 64 * 1024
const stallMs = 1_000
const seen = {pieces: 0, ended: false}
let server: ReturnType<typeof createServer>
let port: number

async function* pieces(): AsyncGenerator<string, void, undefined> {
  try {
    for (; ; seen.pieces += 1) yield `data: ${'x'.repeat(pieceBytes)}\n\n`
  } finally {
    seen.ended = true
  }
}

beforeEach(async () => {
  Object.assign(seen, {pieces: 0, ended: false})
  const app = new Hono<AppEnvironment>()
  app.get('/', (context) => {
    const {outgoing} = context.env
    return context.body(toEventStream(pieces, {clock: createSystemClock(), stallMs, onStalled: () => outgoing.destroy()}))
  })
  server = createServer(getRequestListener(app.fetch, {overrideGlobalObjects: false})).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a listening socket has a port')
  port = address.port
})
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

test('a reader that takes nothing is sent what the kernel buffers, and is then disconnected', async () => {
  const socket = connect(port, '127.0.0.1')
  const closed = once(socket, 'close')
  socket.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
  socket.pause()
  await sleep(stallMs / 2)
  const given = seen.pieces
  expect(given).toBeGreaterThan(0)
  await sleep(stallMs / 4)
  // Not a piece more: nothing piles up here.
  expect({...seen}).toEqual({pieces: given, ended: false})
  expect(given * pieceBytes).toBeLessThan(32 * 1024 * 1024)
  await sleep(stallMs)
  expect(seen.ended).toBe(true)
  socket.resume()
  await closed
})

test('a reader that reads and then disconnects ends it', async () => {
  const socket = connect(port, '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
  for (let bytes = 0; bytes < 20 * 1024 * 1024; ) bytes += (await once(socket, 'data'))[0].length
  socket.destroy()
  for (let tries = 0; !seen.ended && tries < 50; tries += 1) await sleep(20)
  expect(seen.ended).toBe(true)
})

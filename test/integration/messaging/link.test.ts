import type {NatsConnection} from 'nats'
import {afterEach, beforeEach, expect, test} from 'vitest'
import {createSystemClock} from '../../../src/kernel/clock.ts'
import {silentLogger} from '../../../src/kernel/log.ts'
import type {Connection} from '../../../src/messaging/connection.ts'
import {createNatsLink, type NatsLink} from '../../../src/messaging/link.ts'
import {type NatsServer, startNatsServer} from '../../support/nats-server.ts'

let server: NatsServer
let links: NatsLink[]

beforeEach(async () => {
  links = []
  server = await startNatsServer()
})

afterEach(async () => {
  for (const link of links) await link[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

function open(readConnection: () => Promise<Connection | undefined> = async () => server.connection): NatsLink {
  const link = createNatsLink({readConnection, name: () => 'test', clock: createSystemClock(), logger: silentLogger})
  links.push(link)
  return link
}

const soon = {interval: 10, timeout: 60_000}

test('is connected, and sets every session up, those too that come after the server was killed and started again', async () => {
  const link = open()
  const sessions: NatsConnection[] = []
  link.onSession(async (connection) => void sessions.push(connection))
  const first = await link.connected()
  expect(sessions).toEqual([first])
  await server.kill()
  await expect.poll(() => link.state.type, soon).toBe('waiting')
  expect(link.session()).toBeUndefined()
  await server.restart()
  const second = await link.connected()
  expect(second).not.toBe(first)
  expect(await second.rtt()).toBeGreaterThanOrEqual(0)
  expect(sessions).toEqual([first, second])
})

test('a listener that is added during a session is called at once', async () => {
  const link = open()
  const connection = await link.connected()
  const sessions: NatsConnection[] = []
  link.onSession(async (session) => void sessions.push(session))
  expect(sessions).toEqual([connection])
})

test('waits until there is a connection file, and says what it waits for', async () => {
  let connection: Connection | undefined
  const link = open(async () => connection)
  await expect.poll(() => link.state, soon).toEqual({type: 'waiting', reason: 'no connection file yet'})
  connection = server.connection
  await link.connected()
  expect(link.state.type).toBe('connected')
})

test('follows the server to another port', async () => {
  let current = server
  const link = open(async () => current.connection)
  await link.connected()
  await using moved = await startNatsServer()
  current = moved
  await server.kill()
  await expect.poll(() => link.session()?.getServer(), soon).toBe(`127.0.0.1:${moved.port}`)
})

test('a set-up that fails neither ends the session nor keeps others from theirs', async () => {
  const link = open()
  const reached: string[] = []
  link.onSession(async () => {
    throw new Error('no')
  })
  link.onSession(async () => void reached.push('second'))
  const connection = await link.connected()
  await connection.flush()
  expect(reached).toEqual(['second'])
  expect(link.session()).toBe(connection)
})

test('closing sends what was published, and ends the connection', async () => {
  const link = open()
  const listener = await server.connect()
  const heard = listener.subscribe('told', {max: 1})
  await listener.flush()
  const connection = await link.connected()
  connection.publish('told', 'the last word')
  await link[Symbol.asyncDispose]()
  expect([link.state.type, link.session(), connection.isClosed()]).toEqual(['closed', undefined, true])
  for await (const message of heard) expect(message.string()).toBe('the last word')
  expect(heard.getProcessed()).toBe(1)
  await listener.close()
})

test('closing while the server is gone does not wait for it', async () => {
  const link = open()
  await link.connected()
  await server.kill()
  await expect.poll(() => link.state.type, soon).toBe('waiting')
  const began = performance.now()
  await link[Symbol.asyncDispose]()
  expect(performance.now() - began).toBeLessThan(2_000)
  expect(link.state.type).toBe('closed')
})

test('closing in the middle of connecting leaves no connection behind', async () => {
  const {promise: asked, resolve: answer} = Promise.withResolvers<Connection>()
  const link = open(() => asked)
  const closing = link[Symbol.asyncDispose]()
  answer(server.connection)
  await closing
  expect(link.state.type).toBe('closed')
  expect(link.session()).toBeUndefined()
})

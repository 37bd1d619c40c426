import {once} from 'node:events'
import {statSync, writeFileSync} from 'node:fs'
import {createServer} from 'node:net'
import {join} from 'node:path'
import {afterAll, beforeAll, expect, test} from 'vitest'
import {type Connection, connectNats, readConnection, writeConnection} from '../../../src/messaging/connection.ts'
import {findFreePort} from '../../support/free-port.ts'
import {type NatsServer, startNatsServer} from '../../support/nats-server.ts'
import {makeTempDir} from '../../support/temp-dir.ts'

let server: NatsServer

beforeAll(async () => {
  server = await startNatsServer()
})

afterAll(() => server[Symbol.asyncDispose]())

test('connects with a user and a password, under the name that monitoring shows', async () => {
  const connection = await connectNats({...server, name: 'tally-test'})
  expect(await connection.rtt()).toBeGreaterThanOrEqual(0)
  expect(connection.info?.client_id).toBeGreaterThan(0)
  await connection.close()
})

test('refused credentials are NATS_AUTH_FAILED, and the message has no password', async () => {
  const credentials = {type: 'user', user: 'test', password: 'not-this-one'} as const
  const url = server.url.replace('//', '//someone:hidden@')
  const attempt = connectNats({url, credentials, name: 'test'})
  await expect(attempt).rejects.toMatchObject({
    code: 'NATS_AUTH_FAILED',
    message: `the NATS server at ${server.url} refused the credentials`,
    details: {url: server.url},
  })
})

test('a port without a server is NATS_UNREACHABLE', async () => {
  const url = `nats://127.0.0.1:${await findFreePort()}`
  await expect(connectNats({url, credentials: {type: 'none'}, name: 'test'})).rejects.toMatchObject({
    code: 'NATS_UNREACHABLE',
    kind: 'unavailable',
    details: {url},
  })
})

test('a credentials file that is missing is NATS_AUTH_FAILED, and names the file', async () => {
  const credentials = {type: 'creds', file: '/nonexistent/user.creds'} as const
  await expect(connectNats({url: server.url, credentials, name: 'test'})).rejects.toMatchObject({
    code: 'NATS_AUTH_FAILED',
    message: expect.stringContaining('/nonexistent/user.creds'),
  })
})

test('a connection does not come back by itself', async () => {
  await using other = await startNatsServer()
  const connection = await connectNats({...other, name: 'test'})
  await other.kill()
  await connection.closed()
  await other.restart()
  expect(connection.isClosed()).toBe(true)
})

test('the connection file is read as it was written, and is not readable for other users', async () => {
  await using dir = makeTempDir()
  const file = join(dir.path, 'run/connection.json')
  expect(await readConnection(file)).toBeUndefined()
  const cluster = {servers: [server.url, 'tls://b:4222'], tls: {ca: '/ca.pem', first: true}}
  const written: Connection = {...server.connection, ...cluster, credentials: {type: 'token', token: 't'}}
  await writeConnection(file, server.connection)
  await writeConnection(file, written)
  expect(await readConnection(file)).toEqual(written)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(statSync(join(dir.path, 'run')).mode & 0o777).toBe(0o700)
})

test.each([
  ['is not JSON', '{"url": "nats://'],
  ['is not a connection', '{"url": 1}'],
])('a connection file that %s is STATE_DIR_INVALID, and is named', async (_what, text) => {
  await using dir = makeTempDir()
  const file = join(dir.path, 'connection.json')
  writeFileSync(file, text)
  await expect(readConnection(file)).rejects.toMatchObject({code: 'STATE_DIR_INVALID', message: expect.stringContaining(file)})
})

test.each([{}, {tls: {first: true}}])('a server that says nothing is given up, and no socket is left: %j', async (access) => {
  const ended = Promise.withResolvers<void>()
  const silent = createServer(
    (socket) =>
      void socket
        .on('close', ended.resolve)
        .on('error', () => {})
        .resume(),
  )
  const port = await findFreePort()
  await once(silent.listen(port, '127.0.0.1'), 'listening')
  const attempt = connectNats({url: `nats://127.0.0.1:${port}`, credentials: {type: 'none'}, name: 'test', patienceMs: 500, ...access})
  await expect(attempt).rejects.toMatchObject({code: 'NATS_UNREACHABLE', message: expect.stringContaining('it did not answer in time')})
  await ended.promise
  silent.close()
})

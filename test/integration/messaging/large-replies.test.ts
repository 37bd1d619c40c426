import {headers, type NatsConnection} from 'nats'
import {afterAll, beforeAll, expect, test} from 'vitest'
import * as z from 'zod'
import {silentLogger} from '../../../src/kernel/log.ts'
import {toMessageRoom} from '../../../src/messaging/chunks.ts'
import {acceptsChunksHeader} from '../../../src/messaging/headers.ts'
import {requestJson} from '../../../src/messaging/codec.ts'
import {endpoint, registerService} from '../../../src/messaging/services.ts'
import {type NatsServer, startNatsServer} from '../../support/nats-server.ts'

const maxPayload = 64 * 1024
const subject = 'tally.cmd.n1.default.web.fill'
/** Four bytes each, which chunks cut anywhere. */
const faces = Array.from({length: 64}, (_, index) => String.fromCodePoint(0x1f600 + index)).join('')
const replySchema = z.object({text: z.string()})
let server: NatsServer
let connection: NatsConnection
let client: NatsConnection

beforeAll(async () => {
  server = await startNatsServer({maxPayload})
  connection = await server.connect()
  client = await server.connect()
  await registerService(connection, {
    name: 'tally-supervisor',
    version: '1.2.3',
    description: 'for a test',
    metadata: {},
    logger: silentLogger,
    endpoints: [
      endpoint('fill', subject, z.strictObject({length: z.int(), args: z.array(z.string()).optional()}), async ({length}) => ({
        text: faces.repeat(Math.ceil(length / 64)).slice(0, 2 * length),
      })),
    ],
  })
})

afterAll(async () => {
  await client.close()
  await connection.close()
  await server[Symbol.asyncDispose]()
})

function ask(request: object) {
  return requestJson(client, subject, request, {schema: replySchema, timeoutMs: 60_000})
}

test('a reply that is larger than a message reaches a client whole that takes chunks', async () => {
  for (const length of [1, 13_000, 14_336, 500_000]) {
    const reply = await ask({length})
    expect(reply?.text).toHaveLength(2 * length)
    expect(reply?.text.endsWith(String.fromCodePoint(0x1f600 + ((length - 1) % 64)))).toBe(true)
  }
})

test('several at once are not mixed up', async () => {
  const lengths = Array.from({length: 20}, (_, index) => 20_000 + index)
  expect((await Promise.all(lengths.map((length) => ask({length})))).map((reply) => (reply?.text.length ?? 0) / 2)).toEqual(lengths)
})

test('chunks are numbered, for clients that put them together themselves', async () => {
  const header = headers()
  header.set(acceptsChunksHeader, '1')
  const numbers: (string | undefined)[] = []
  const payload: Uint8Array[] = []
  for await (const message of await client.requestMany(subject, JSON.stringify({length: 50_000}), {
    headers: header,
    maxWait: 2_000,
    maxMessages: 4,
  })) {
    numbers.push(message.headers?.get('Tally-Chunk'))
    payload.push(message.data)
  }
  expect(numbers).toEqual(['1/4', '2/4', '3/4', '4/4'])
  expect(replySchema.parse(JSON.parse(Buffer.concat(payload).toString())).text).toHaveLength(100_000)
})

test('any other client gets an error that says that it is too large, and what to do; so does one that asks for too much', async () => {
  const reply = await client.request(subject, JSON.stringify({length: 50_000}), {timeout: 60_000})
  expect(reply.headers?.get('Nats-Service-Error-Code')).toBe('400')
  expect(reply.json()).toMatchObject({code: 'REPLY_TOO_LARGE', kind: 'invalid', message: expect.stringContaining('limit and after')})
  await expect(ask({length: 10_000_000})).rejects.toMatchObject({code: 'REPLY_TOO_LARGE'})
})

test('a request that the server would not take is refused before it is sent, and one that leaves no room for its event', async () => {
  const most = toMessageRoom(client)
  expect(most).toBeLessThan(maxPayload)
  await expect(ask({length: 1, args: ['x'.repeat(maxPayload)]})).rejects.toMatchObject({code: 'REQUEST_TOO_LARGE'})
  const reply = await client.request(subject, JSON.stringify({length: 1, args: ['x'.repeat(most)]}), {timeout: 60_000})
  expect(reply.json()).toMatchObject({code: 'REQUEST_TOO_LARGE', details: {mostBytes: most}})
})

test('an error that is larger than a message is cut, and the caller can go on', async () => {
  const args = Array.from({length: 20_000}, () => 1)
  await expect(ask({length: 1, args})).rejects.toMatchObject({code: 'INVALID_REQUEST', message: expect.stringContaining('and 19950 more')})
  expect(await ask({length: 1})).toEqual({text: '\u{1f600}'})
})

test('no service listens, and no service answers', async () => {
  expect(await requestJson(client, 'tally.cmd.n1.none', {}, {schema: z.unknown(), timeoutMs: 1_000})).toBeUndefined()
  client.subscribe('tally.cmd.n1.silent', {callback: () => {}})
  await expect(requestJson(client, 'tally.cmd.n1.silent', {}, {schema: z.unknown(), timeoutMs: 100})).rejects.toMatchObject({
    code: 'TIMED_OUT',
  })
})

test('a connection that is closed meanwhile is an error at once', async () => {
  const other = await server.connect()
  other.subscribe('tally.cmd.n1.mute', {callback: () => {}})
  const asked = requestJson(other, 'tally.cmd.n1.mute', {}, {schema: z.unknown(), timeoutMs: 60_000})
  await Promise.all([other.close(), expect(asked).rejects.toMatchObject({code: 'NATS_UNREACHABLE'})])
  await expect(requestJson(other, 'tally.cmd.n1.mute', {}, {schema: z.unknown(), timeoutMs: 60_000})).rejects.toMatchObject({
    code: 'NATS_UNREACHABLE',
  })
})

import {setTimeout as sleep} from 'node:timers/promises'
import {type Msg, type NatsConnection, headers} from 'nats'
import {afterAll, beforeAll, expect, test} from 'vitest'
import * as z from 'zod'
import {TallyError} from '../../../src/kernel/errors.ts'
import {silentLogger} from '../../../src/kernel/log.ts'
import {largestRequestBytes, requestJson} from '../../../src/messaging/codec.ts'
import {endpoint, registerService} from '../../../src/messaging/services.ts'
import {type NatsServer, startNatsServer} from '../../support/nats-server.ts'

const prefix = 'tally.cmd.n1.default.web'
const metadata = {node: 'n1', namespace: 'default', id: 'web'}
let server: NatsServer
let connection: NatsConnection
let client: NatsConnection

beforeAll(async () => {
  server = await startNatsServer()
  connection = await server.connect()
  client = await server.connect()
  await registerService(connection, {
    name: 'tally-supervisor',
    version: '1.2.3',
    description: 'for a test',
    metadata,
    logger: silentLogger,
    endpoints: [
      endpoint('echo', `${prefix}.echo`, z.strictObject({text: z.string()}), async ({text}, origin) => ({text, ...origin})),
      endpoint('refuse', `${prefix}.refuse`, z.strictObject({}), async () => {
        throw new TallyError('ILLEGAL_COMMAND', 'start is not legal\nin state “running”', {details: {state: 'running', legal: ['kill']}})
      }),
      endpoint('slow', `${prefix}.slow`, z.strictObject({}), async () => {
        await sleep(300)
        return {}
      }),
      endpoint('fail', `${prefix}.fail`, z.strictObject({}), async () => {
        throw new Error('a fault')
      }),
    ],
  })
})

afterAll(async () => {
  await client.close()
  await connection.close()
  await server[Symbol.asyncDispose]()
})

function ask(verb: string, payload: string | Uint8Array = '{}'): Promise<Msg> {
  return client.request(`${prefix}.${verb}`, payload, {timeout: 60_000})
}

function toError(message: Msg) {
  return {
    header: message.headers?.get('Nats-Service-Error'),
    code: message.headers?.get('Nats-Service-Error-Code'),
    body: message.json<Record<string, unknown>>(),
  }
}

test.each(['$SRV.PING', '$SRV.PING.tally-supervisor', '$SRV.INFO', '$SRV.STATS'])('%s is answered', async (subject) => {
  const reply = (await client.request(subject, '', {timeout: 60_000})).json<Record<string, unknown>>()
  expect(reply).toMatchObject({name: 'tally-supervisor', version: '1.2.3', metadata})
})

test('INFO names every endpoint with its subject', async () => {
  const info = (await client.request('$SRV.INFO.tally-supervisor', '')).json<Record<string, unknown>>()
  expect(info['description']).toBe('for a test')
  expect(info['endpoints']).toEqual(
    ['echo', 'refuse', 'slow', 'fail'].map((name) => expect.objectContaining({name, subject: `${prefix}.${name}`})),
  )
})

test('STATS count requests, what became of them, and all the time that they took', async () => {
  const before = await readFigures()
  await ask('echo', '{"text":"a"}')
  await ask('echo', 'not JSON')
  await ask('refuse')
  await ask('fail')
  await Promise.all([ask('slow'), ask('slow')])
  const after = await readFigures()
  const grown = (name: string, figure: 'num_requests' | 'num_errors' | 'processing_time') =>
    (after[name]?.[figure] ?? 0) - (before[name]?.[figure] ?? 0)
  const count = (name: string) => [grown(name, 'num_requests'), grown(name, 'num_errors')]
  expect({echo: count('echo'), refuse: count('refuse'), fail: count('fail'), slow: count('slow')}).toEqual({
    echo: [2, 1],
    refuse: [1, 1],
    fail: [1, 1],
    slow: [2, 0],
  })
  expect(after['echo']?.last_error).toMatch(/^400 INVALID_REQUEST: expected JSON/)
  expect(after['refuse']?.last_error).toBe('412 ILLEGAL_COMMAND: start is not legal\nin state “running”')
  const {processing_time: total, average_processing_time: average} = after['slow'] ?? {}
  // Nanoseconds; timers may be a millisecond early.
  expect(grown('slow', 'processing_time')).toBeGreaterThanOrEqual(2 * 299e6)
  expect(average).toBe(Math.round((total ?? 0) / (after['slow']?.num_requests ?? 1)))
})

interface Figures {
  readonly name: string
  readonly num_requests: number
  readonly num_errors: number
  readonly processing_time: number
  readonly average_processing_time: number
  readonly last_error?: string
}

async function readFigures(): Promise<Readonly<Record<string, Figures>>> {
  const stats = (await client.request('$SRV.STATS.tally-supervisor', '')).json<{readonly endpoints: readonly Figures[]}>()
  return Object.fromEntries(stats.endpoints.map((one) => [one.name, one]))
}

test('an error of the table becomes ADR-32’s headers and a body of code, kind, message and details', async () => {
  expect(toError(await ask('refuse'))).toEqual({
    header: 'start is not legal in state  running',
    code: '412',
    body: {
      code: 'ILLEGAL_COMMAND',
      kind: 'precondition',
      message: 'start is not legal\nin state “running”',
      details: {state: 'running', legal: ['kill']},
    },
  })
})

test('any other error is an internal error, and the service goes on', async () => {
  expect(toError(await ask('fail'))).toEqual({
    header: 'a fault',
    code: '500',
    body: {code: 'INTERNAL', kind: 'bug', message: 'a fault', details: {}},
  })
  expect((await ask('echo', '{"text":"still here"}')).json()).toMatchObject({text: 'still here'})
})

test.each<[string, string | Uint8Array, string]>([
  ['malformed JSON', '{"text":', 'expected JSON in UTF-8'],
  ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'expected JSON in UTF-8'],
  ['a number for a string', '{"text":5}', 'text: expected string, got 5'],
  ['a missing field', '', 'text: expected string, got nothing'],
  ['an unknown field', '{"text":"a","txet":"b"}', 'request: expected no field "txet"'],
  ['what is no object', '[1]', 'request: expected object, got [1]'],
])('%s is an INVALID_REQUEST that says what is wrong', async (_what, payload, message) => {
  const {code, body} = toError(await ask('echo', payload))
  expect(code).toBe('400')
  expect(body).toMatchObject({code: 'INVALID_REQUEST', kind: 'invalid', message: expect.stringContaining(message)})
})

test('a request of 256 KiB is served, and one of a byte more is REQUEST_TOO_LARGE', async () => {
  const frame = JSON.stringify({text: ''}).length
  const largest = JSON.stringify({text: 'x'.repeat(largestRequestBytes - frame)})
  expect(largest).toHaveLength(256 * 1024)
  expect((await ask('echo', largest)).headers?.has('Nats-Service-Error') ?? false).toBe(false)
  const {code, body} = toError(await ask('echo', `${largest} `))
  expect(code).toBe('400')
  expect(body).toMatchObject({code: 'REQUEST_TOO_LARGE', kind: 'invalid', message: expect.stringContaining('262145')})
})

test('the handler gets the actor, and a new correlation id when the request has none', async () => {
  const origin = headers()
  origin.set('Tally-Actor', 'alice\u0007@host')
  origin.set('Tally-Correlation-Id', 'c-1')
  const named = await client.request(`${prefix}.echo`, '{"text":"a"}', {timeout: 5_000, headers: origin})
  expect(named.json()).toEqual({text: 'a', actor: 'alice@host', correlationId: 'c-1'})
  expect((await ask('echo', '{"text":"a"}')).json()).toMatchObject({
    actor: 'anonymous',
    correlationId: expect.stringMatching(/^[0-9a-f-]{36}$/),
  })
})

test('requestJson gets the answer, the error as it was thrown, and undefined where no service listens', async () => {
  const options = {schema: z.object({text: z.string()}), timeoutMs: 60_000}
  expect(await requestJson(client, `${prefix}.echo`, {text: 'a'}, options)).toEqual({text: 'a'})
  await expect(requestJson(client, `${prefix}.refuse`, {}, options)).rejects.toMatchObject({
    code: 'ILLEGAL_COMMAND',
    kind: 'precondition',
    details: {state: 'running', legal: ['kill']},
  })
  expect(await requestJson(client, `${prefix}.nobody`, {}, options)).toBeUndefined()
})

test('requestJson rejects when no answer comes in time', async () => {
  const silent = client.subscribe('silent')
  await client.flush()
  const attempt = requestJson(client, 'silent', {}, {schema: z.unknown(), timeoutMs: 100})
  await expect(attempt).rejects.toMatchObject({code: 'TIMED_OUT', kind: 'timeout', details: {subject: 'silent', timeoutMs: 100}})
  silent.unsubscribe()
})

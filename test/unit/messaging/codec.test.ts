import {headers} from 'nats'
import {describe, expect, it} from 'vitest'
import type {z} from 'zod'
import {containerCommandSchemas, nodeCommandSchemas} from '../../../machines/commands/commands.ts'
import {isErrorBody, TallyError, toErrorBody} from '../../../src/kernel/errors.ts'
import {encodeJson, largestRequestBytes, parseRequest, readOrigin, toErrorReply} from '../../../src/messaging/codec.ts'

const {create} = nodeCommandSchemas
const {stop, kill, start, output} = containerCommandSchemas

function refusal(schema: z.ZodType, request: unknown): unknown {
  const bytes = request instanceof Uint8Array ? request : Buffer.from(typeof request === 'string' ? request : JSON.stringify(request))
  try {
    return parseRequest(schema, bytes)
  } catch (error) {
    if (error instanceof TallyError) return {code: error.code, message: error.message}
    throw error
  }
}

const invalid = (message: unknown) => ({code: 'INVALID_REQUEST', message})

describe('a very long error', () => {
  it('is truncated', () => {
    const {payload} = toErrorReply({code: 'INTERNAL', kind: 'bug', message: 'x'.repeat(100_000), details: {all: 'y'.repeat(100_000)}})
    expect(JSON.parse(Buffer.from(payload).toString())).toEqual({
      code: 'INTERNAL',
      kind: 'bug',
      message: `${'x'.repeat(4_096)} (cut)`,
      details: {},
    })
  })
})

describe('parsing a request', () => {
  it('reads an empty payload as an empty object', () => {
    expect(parseRequest(stop, new Uint8Array())).toEqual({signal: 'SIGTERM', graceMs: 10_000})
    expect(parseRequest(start, new Uint8Array())).toEqual({})
  })

  it.each([['term'], ['SIGTERM'], [15], ['15']])('reads %j as SIGTERM', (signal) => {
    expect(parseRequest(kill, encodeJson({signal}))).toEqual({signal: 'SIGTERM', all: false})
  })

  it('accepts UTF-8', () => {
    expect(parseRequest(create, encodeJson({bundle: '/Behälter/容器'}))).toMatchObject({bundle: '/Behälter/容器'})
  })

  it.each(['{', '{"graceMs":1', "{'graceMs':1}", 'graceMs=1', '{}{}', '\0'])('rejects what is not JSON: %j', (text) => {
    expect(refusal(stop, text)).toEqual(invalid(expect.stringMatching(/^expected JSON in UTF-8: ./)))
  })

  it.each([[[0xff]], [[0x22, 0xc3, 0x28, 0x22]], [[0x22, 0xed, 0xa0, 0x80, 0x22]]])('rejects what is not UTF-8: %j', (bytes) => {
    expect(refusal(stop, Uint8Array.from(bytes))).toEqual(invalid(expect.stringMatching(/^expected JSON in UTF-8: ./)))
  })

  it('rejects a payload that is too large before it is parsed', () => {
    const message = `expected a request of at most ${largestRequestBytes} bytes, got ${largestRequestBytes + 1}`
    expect(refusal(stop, Buffer.alloc(largestRequestBytes + 1))).toEqual({code: 'REQUEST_TOO_LARGE', message})
    expect(parseRequest(start, Buffer.from(`{${' '.repeat(largestRequestBytes - 2)}}`))).toEqual({})
  })

  it.each<[z.ZodType, unknown, string]>([
    [stop, {graceMs: '1'}, 'graceMs: expected number, got "1"'],
    [stop, {graceMs: null}, 'graceMs: expected number, got null'],
    [stop, {signal: 'SIGNOPE'}, 'signal: expected a signal name or number, got "SIGNOPE"'],
    [output, {stream: 'stdout', offset: [], limitBytes: {}}, 'offset: expected number, got []; limitBytes: expected number, got {}'],
    [start, 5, 'request: expected object, got 5'],
    [start, [], 'request: expected object, got []'],
    [start, null, 'request: expected object, got null'],
    [start, {now: true}, 'request: expected no field "now"'],
    [create, {rootfs: '/r', args: ['a', 5]}, 'args.1: expected string, got 5'],
  ])('names the field, the expected and the actual value (%#)', (schema, request, message) => {
    expect(refusal(schema, request)).toEqual(invalid(message))
  })

  it('has a line for every field in its details', () => {
    const request = encodeJson({stream: 'stdout', offset: 'x', limitBytes: 'y'})
    const issues = ['offset: expected number, got "x"', 'limitBytes: expected number, got "y"']
    expect(() => parseRequest(output, request)).toThrow(expect.objectContaining({details: {issues}}))
  })

  it('rejects a value that is nested too deeply', () => {
    const depth = 20_000
    expect(refusal(create, `{"rootfs":${'['.repeat(depth)}${']'.repeat(depth)}}`)).toEqual(invalid(expect.any(String)))
  })
})

describe('a create request that matches neither alternative', () => {
  it.each<[string, unknown, string]>([
    ['a root file system without a command', {rootfs: '/r'}, 'args: expected array, got nothing'],
    ['a misspelt field', {rootfs: '/r', args: ['a'], memroy: 5}, 'request: expected no field "memroy"'],
    ['a misspelt field of a bundle', {bundle: '/b', extra: 1}, 'request: expected no field "extra"'],
    ['a relative bundle', {bundle: 'b'}, 'bundle: expected an absolute path, got "b"'],
    ['a relative root file system', {rootfs: 'r', args: ['a']}, 'rootfs: expected an absolute path, got "r"'],
    [
      'three wrong values beside a root file system',
      {rootfs: '/r', args: 'sh', env: 'A=b', cwd: 5},
      'args: expected array, got "sh"; env: expected array, got "A=b"; cwd: expected string, got 5',
    ],
  ])('is explained by the closest alternative: %s', (_, request, message) => {
    expect(refusal(create, request)).toEqual(invalid(message))
  })
})

describe('the origin of a request', () => {
  function originOf(fields: Record<string, string>) {
    const given = headers()
    for (const [name, value] of Object.entries(fields)) given.set(name, value)
    return readOrigin({headers: given})
  }

  it('is anonymous without headers', () => {
    expect(readOrigin({})).toEqual({actor: 'anonymous', correlationId: undefined})
    expect(originOf({})).toEqual({actor: 'anonymous', correlationId: undefined})
  })

  it('is read from the headers: printable, at most 128 characters', () => {
    expect(originOf({'Tally-Actor': 'cli:ann', 'Tally-Correlation-Id': 'c-7'})).toEqual({actor: 'cli:ann', correlationId: 'c-7'})
    expect(originOf({'Tally-Actor': 'a\u001b[31mb\u0080é'}).actor).toBe('a[31mb')
    expect(originOf({'Tally-Actor': 'x'.repeat(500)}).actor).toBe('x'.repeat(128))
    expect(originOf({'Tally-Actor': '\u0007', 'Tally-Correlation-Id': '\u0007'})).toEqual({actor: 'anonymous', correlationId: undefined})
  })
})

describe('an error reply', () => {
  it('has the body, the code of its kind, and the message on one line', () => {
    const body = toErrorBody(new TallyError('CONTAINER_NOT_FOUND', 'no\r\ncontainer é', {details: {id: 'web'}}))
    const reply = toErrorReply(body)
    const parsed: unknown = JSON.parse(Buffer.from(reply.payload).toString())
    expect(parsed).toEqual({code: 'CONTAINER_NOT_FOUND', kind: 'not_found', message: 'no\r\ncontainer é', details: {id: 'web'}})
    expect(isErrorBody(parsed)).toBe(true)
    expect(reply.headers.get('Nats-Service-Error')).toBe('no container')
    expect(reply.headers.get('Nats-Service-Error-Code')).toBe('404')
  })
})

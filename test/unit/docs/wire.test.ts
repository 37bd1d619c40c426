import {headers} from 'nats'
import {describe, expect, it} from 'vitest'
import {containerCommandSchemas} from '../../../machines/commands/commands.ts'
import {idRule} from '../../../machines/ledger/ids.ts'
import {isErrorBody} from '../../../src/kernel/errors.ts'
import {largestRequestBytes, parseRequest, readOrigin, toErrorReply} from '../../../src/messaging/codec.ts'
import {connectionSchema, credentialsSchema} from '../../../src/messaging/connection.ts'
import {readCode, readFences, readProjectFile, readRows, readSection, unquote} from './markdown.ts'

const text = readProjectFile('docs/commands.md')

describe('docs/commands.md, on the wire', () => {
  it('shows a valid connection file with all fields', () => {
    const [example = ''] = readFences(readSection(text, 2, 'Connect'), 'json')
    expect(connectionSchema.strict().safeParse(JSON.parse(example)).error).toBeUndefined()
    const fields = readRows(text, 'field', 'type', 'meaning').map((row) => unquote(row['field'] ?? ''))
    expect(fields).toEqual(Object.keys(connectionSchema.shape))
  })

  it('has every way to authenticate with its fields, and no other', () => {
    const documented = readRows(text, '`credentials.type`', 'other fields', 'meaning').map((row) => ({
      type: unquote(row['`credentials.type`'] ?? ''),
      fields: readCode(row['other fields'] ?? ''),
    }))
    const expected = credentialsSchema.options.map(({shape}) => {
      const {type, ...others} = shape
      return {type: type.value, fields: Object.keys(others)}
    })
    expect(documented).toEqual(expected)
  })

  it('names the headers for the caller and the retry', () => {
    const [actor = '', correlation = '', attempt = ''] = readRows(text, 'header', 'meaning').map((row) => unquote(row['header'] ?? ''))
    const given = headers()
    given.set(actor, 'alice')
    given.set(correlation, 'deploy-17')
    expect(readOrigin({headers: given})).toEqual({actor: 'alice', correlationId: 'deploy-17'})
    given.set(attempt, '2')
    expect(readOrigin({headers: given})).toMatchObject({isRetry: true})
    expect(readRows(text, 'header', 'meaning')).toHaveLength(3)
  })

  it('describes headers that are absent or too long', () => {
    const [actor = ''] = readRows(text, 'header', 'meaning').map((row) => row['meaning'] ?? '')
    expect(actor).toContain(`\`${readOrigin({headers: headers()}).actor}\` when absent`)
    const long = headers()
    long.set('Tally-Actor', 'x'.repeat(1000))
    expect(text).toContain(`cut at ${readOrigin({headers: long}).actor.length} characters`)
  })

  it('says how large a request may be', () => {
    expect(text).toContain(`more than ${largestRequestBytes} bytes`)
  })

  it('says what the details of a refused request are', () => {
    const [row] = readRows(readProjectFile('docs/errors.md'), 'code', 'details')
    expect(row?.['code']).toBe('`INVALID_REQUEST`')
    expect(row?.['details']).toMatch(/^`issues`: a list of texts/)
    const request = Buffer.from('{"graceMs":-1,"signal":"SIGNOT"}')
    const refused = expect.objectContaining({
      code: 'INVALID_REQUEST',
      details: {issues: [expect.stringMatching(/^signal: /), expect.stringMatching(/^graceMs: /)]},
    })
    expect(() => parseRequest(containerCommandSchemas.stop, request)).toThrow(refused)
  })

  it.each(['docs/commands.md', 'docs/subjects.md'])('gives the rule for ids: %s', (path) => {
    const plain = unquote(readProjectFile(path)).replaceAll('\n', ' ')
    expect(plain).toContain(idRule)
  })

  it('shows an error reply as it is sent', () => {
    const section = readSection(text, 2, 'Errors')
    const [headerLines = ''] = readFences(section, 'text')
    const body: unknown = JSON.parse(readFences(section, 'json')[0] ?? '')
    if (!isErrorBody(body)) throw new Error('expected the example to be an error body')
    const reply = toErrorReply(body)
    const sent = reply.headers.keys().map((name) => `${name}: ${reply.headers.get(name)}`)
    expect(headerLines.trimEnd().split('\n')).toEqual(sent)
    expect(Object.keys(body)).toEqual(['code', 'kind', 'message', 'details'])
  })

  it.each([
    ['tally-coordinator', 'src/coordinator/endpoints/register.ts'],
    ['tally-supervisor', 'src/supervisor/endpoints/service.ts'],
  ])('names the service %s as it is registered', (service, path) => {
    const documented = readRows(text, 'service', 'one per', 'metadata').map((row) => unquote(row['service'] ?? ''))
    expect(documented).toContain(service)
    expect(documented).toHaveLength(2)
    expect(readProjectFile(path)).toContain(`name: '${service}'`)
  })
})

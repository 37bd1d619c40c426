import {describe, expect, it} from 'vitest'
import {z} from 'zod'
import {containerCommandSchemas, containerVerbs, nodeCommandSchemas, nodeVerbs} from '../../../machines/commands/commands.ts'
import {bundleRequestSchema, rootfsRequestSchema} from '../../../machines/schemas/create-request.ts'
import {topReplySchema} from '../../../machines/views/top.ts'
import {statsReplySchema} from '../../../machines/views/stats.ts'
import {containerViewSchema, logReplySchema, nodeInfoSchema, outputReplySchema, processViewSchema} from '../../../machines/views/view.ts'
import {createSubjects} from '../../../src/messaging/subjects.ts'
import {describeFields} from './fields.ts'
import {readFences, readProjectFile, readRows, readSection, readSections, readTables, type Row, unquote} from './markdown.ts'

const text = readProjectFile('docs/commands.md')
const nodeSections = readSections(readSection(text, 2, 'Node commands'), 3)
const containerSections = readSections(readSection(text, 2, 'Container commands'), 3)
const replies = readSections(readSection(text, 2, 'Replies'), 3)
const subjects = createSubjects()

const commands = [
  ...nodeVerbs.map((verb) => ({
    verb,
    body: nodeSections.get(verb) ?? '',
    schema: nodeCommandSchemas[verb],
    subject: subjects.nodeCommand('node', verb),
  })),
  ...containerVerbs.map((verb) => ({
    verb,
    body: containerSections.get(verb) ?? '',
    schema: containerCommandSchemas[verb],
    subject: subjects.containerCommand({node: 'node', namespace: 'ns', id: 'id'}, verb),
  })),
]

/** A request with required fields only: all other fields of the parsed request are defaults. */
const smallest: Readonly<Record<string, object>> = {
  output: {stream: 'stdout'},
  exec: {args: ['sh']},
  checkpoint: {image: '/checkpoint'},
  restore: {image: '/checkpoint'},
  hold: {namespace: 'default', id: 'web', exec: 'shell'},
  sleep: {namespace: 'default', id: 'web'},
  awake: {namespace: 'default', id: 'web'},
  upgrade: {namespace: 'default', id: 'web'},
  resize: {columns: 80, rows: 24},
}

function toRequestRows(schema: z.ZodType, least: object) {
  const parsed = z.record(z.string(), z.unknown()).parse(schema.parse(least))
  return describeFields(schema, 'input').map(({field, type}) => {
    if (field in least) return {field, type, default: 'required'}
    return {field, type, default: parsed[field] === undefined ? '' : `\`${JSON.stringify(parsed[field])}\``}
  })
}

function toRequestRow(row: Row) {
  return {field: unquote(row['field'] ?? ''), type: row['type'], default: row['default']}
}

describe('docs/commands.md', () => {
  it('has every command of a node and of a container, and no other', () => {
    expect([...nodeSections.keys()]).toEqual(nodeVerbs)
    expect([...containerSections.keys()]).toEqual(containerVerbs)
  })

  it.each(commands)('gives the subject of $verb', ({body, subject}) => {
    const [, documented = ''] = /^- Subject: `(.+)`$/m.exec(body) ?? []
    expect(documented).toContain('<')
    expect(documented.replace(/[<>]/g, '')).toBe(subject)
  })

  it.each(commands)('says when $verb answers, and with what', ({body}) => {
    expect(body).toMatch(/^- Answers: \S/m)
    expect(body).toMatch(/^- Reply: (\[(container|process|node|output|log|stats|top)\]\(#[\w-]+\)|`\{)/m)
  })

  it.each(commands.filter(({verb}) => verb !== 'create'))('has the fields of $verb with types and defaults', ({verb, body, schema}) => {
    expect(readRows(body, 'field', 'type', 'default', 'meaning').map(toRequestRow)).toEqual(toRequestRows(schema, smallest[verb] ?? {}))
    expect(/^No fields\.$/m.test(body)).toBe(describeFields(schema, 'input').length === 0)
  })

  it('has the fields of create, for a root file system and for a bundle', () => {
    const fields = (rows: readonly {readonly field: string}[]) => [...rows].sort((a, b) => a.field.localeCompare(b.field))
    const rootfs = toRequestRows(rootfsRequestSchema, {rootfs: '/', args: ['sh']})
    const bundle = toRequestRows(bundleRequestSchema, {bundle: '/b'})
    const tables = readTables(nodeSections.get('create') ?? '').map(({rows}) => rows.map(toRequestRow))
    expect(tables.map(fields)).toEqual([fields(rootfs), fields(bundle)])
  })

  it.each(commands)('has an example of $verb that is a legal request', ({verb, body, schema, subject}) => {
    const examples = readFences(body, 'sh').flatMap((code) => [...code.matchAll(/nats request .*?"(tally\.cmd\.[^"]+)" '([^']*)'/g)])
    expect(examples).toHaveLength(1)
    const [[, address = '', payload = ''] = []] = examples
    expect(address.split('.')).toHaveLength(subject.split('.').length)
    expect(address.split('.').at(-1)).toBe(verb)
    expect(address.split('.')[2]).toBe('$NODE')
    expect(schema.safeParse(JSON.parse(payload)).error).toBeUndefined()
  })

  it.each([
    ['Container', containerViewSchema],
    ['Process', processViewSchema],
    ['Node', nodeInfoSchema],
    ['Output', outputReplySchema],
    ['Log', logReplySchema],
    ['Stats', statsReplySchema],
    ['Top', topReplySchema],
  ])('has the fields of the reply %s', (title, schema) => {
    const documented = readRows(replies.get(title) ?? '', 'field', 'type', 'presence', 'meaning').map((row) => ({
      field: unquote(row['field'] ?? ''),
      type: row['type'],
      presence: row['presence'],
    }))
    expect(documented).toEqual(describeFields(schema, 'output'))
  })

  it('describes seven replies, and no other', () => {
    expect([...replies.keys()]).toEqual(['Container', 'Process', 'Node', 'Output', 'Log', 'Stats', 'Top'])
  })
})

import {describe, expect, it} from 'vitest'
import {z} from 'zod'
import {cloudEventContentType, parseLedgerEvent, toCloudEvent, toEventId} from '../../../machines/ledger/cloud-event.ts'
import {execSpecSchema} from '../../../machines/schemas/exec-spec.ts'
import {eventSchemas, type EventType, failureSchema, isEventType, processIdentitySchema} from '../../../machines/ledger/events.ts'
import {processExitSchema} from '../../../machines/ledger/process-exit.ts'
import {duplicateWindowMs, toStreamName} from '../../../src/messaging/stream.ts'
import {createSubjects} from '../../../src/messaging/subjects.ts'
import {describeFields} from './fields.ts'
import {readFences, readProjectFile, readRows, readSection, readSections, type Row, unquote} from './markdown.ts'

const text = readProjectFile('docs/events.md')
const sections = readSections(readSection(text, 2, 'Events of a container'), 3)
const types = readSection(text, 2, 'Types')
const eventTypes = Object.keys(eventSchemas).filter(isEventType)

function toField(row: Row) {
  return {field: unquote(row['field'] ?? ''), type: row['type'], presence: row['presence']}
}

describe('docs/events.md', () => {
  it('has every type of event, in the order of the code, and no other', () => {
    expect([...sections.keys()]).toEqual(eventTypes)
  })

  it.each(eventTypes)('has the fields of %s', (type: EventType) => {
    const body = sections.get(type) ?? ''
    const expected = describeFields(eventSchemas[type], 'output')
    expect(readRows(body, 'field', 'type', 'presence', 'meaning').map(toField)).toEqual(expected)
    expect(body.includes('No fields.')).toBe(expected.length === 0)
  })

  it('has the fields of a failure, of a process and of an exec', () => {
    const expected = [failureSchema, processIdentitySchema, execSpecSchema].flatMap((schema) => describeFields(schema, 'output'))
    expect(readRows(types, 'field', 'type', 'presence', 'meaning').map(toField)).toEqual(expected)
  })

  it('has every way for a process to end', () => {
    const rows = readRows(types, 'exit type', 'field', 'type', 'presence', 'meaning')
    const expected = processExitSchema.options.flatMap(({shape: {type, ...fields}}) =>
      describeFields(z.object(fields), 'output').map((field) => ({exit: type.value, ...field})),
    )
    expect(rows.map((row) => ({exit: unquote(row['exit type'] ?? ''), ...toField(row)}))).toEqual(expected)
  })

  it('has every attribute of the envelope, and no other', () => {
    const documented = readRows(text, 'attribute', 'meaning').map((row) => unquote(row['attribute'] ?? ''))
    const event = toCloudEvent({...readExample(), causationId: 'u:1'})
    expect(documented).toEqual(Object.keys(event))
  })

  it('shows a line as it is journaled', () => {
    const [line = ''] = readFences(text, 'json')
    expect(`${JSON.stringify(toCloudEvent(readExample()))}\n`).toBe(line)
    expect(toEventId(readExample())).toMatch(/^[0-9a-f-]{36}:5$/)
  })

  it('names the content type, the stream, its subjects and its duplicate window', () => {
    expect(text).toContain(`\`${cloudEventContentType}\``)
    expect(text).toContain(`\`${toStreamName(createSubjects())}\` holds \`tally.evt.>\``)
    expect(text).toContain(`a duplicate window of ${duplicateWindowMs / 1000} seconds`)
    expect([...text.matchAll(/\b(\d+) seconds/g)].map(([, seconds]) => Number(seconds))).toEqual([120, 120])
  })

  it('names only events that exist', () => {
    const named = [...text.matchAll(/\b(?:container|supervisor)\.[a-z-]+/g)].map(([name]) => name)
    expect(named.filter((name) => !isEventType(name))).toEqual([])
  })
})

function readExample() {
  return parseLedgerEvent(readFences(text, 'json')[0] ?? '')
}

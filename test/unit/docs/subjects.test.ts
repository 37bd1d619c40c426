import {describe, expect, it} from 'vitest'
import {z} from 'zod'
import {containerVerbs, nodeVerbs} from '../../../machines/commands/commands.ts'
import {idSchema} from '../../../machines/ledger/ids.ts'
import {isEventType} from '../../../machines/ledger/events.ts'
import {createSubjects, defaultPrefix} from '../../../src/messaging/subjects.ts'
import {endHeader, offsetHeader, timeHeader} from '../../../src/messaging/headers.ts'
import {readCode, readProjectFile, readRows, unquote} from './markdown.ts'

const text = readProjectFile('docs/subjects.md')
const subjects = createSubjects()
const address = {node: 'node', namespace: 'ns', id: 'id'}

const filterSchema = z.strictObject({
  node: idSchema.exactOptional(),
  namespace: idSchema.exactOptional(),
  id: idSchema.exactOptional(),
  type: z.string().refine(isEventType).exactOptional(),
})

function readPattern(builder: string): string {
  const row = readRows(text, 'built by', 'subject', 'carries', 'answered or published by').find(
    (candidate) => candidate['built by'] === `\`${builder}\``,
  )
  return unquote(row?.['subject'] ?? '')
}

/** A pattern with its tokens filled in. */
function fill(pattern: string, values: Readonly<Record<string, string>>): string {
  return pattern.replace(/<([a-z]+)>/g, (token, name: string) => values[name] ?? token)
}

const tokens = {node: 'node', ns: 'ns', id: 'id'}

describe('docs/subjects.md', () => {
  it('has every kind of subject that the code builds, and no other', () => {
    const documented = readRows(text, 'built by', 'subject', 'carries', 'answered or published by').map((row) =>
      unquote(row['built by'] ?? ''),
    )
    const {
      prefix: _,
      parseEvent: __,
      parseInput: ___,
      events: ____,
      toOwn: _____,
      fromOwn: ______,
      parseVerb: _______,
      ...builders
    } = subjects
    expect(documented).toEqual(Object.keys(builders))
    expect(text).toContain('`events` builds a filter')
    expect(text).toContain(`a prefix: \`${defaultPrefix}\``)
  })

  it('has the pattern of node commands', () => {
    for (const verb of nodeVerbs) expect(fill(readPattern('nodeCommand'), {...tokens, verb})).toBe(subjects.nodeCommand('node', verb))
  })

  it('has the pattern of container commands', () => {
    for (const verb of containerVerbs)
      expect(fill(readPattern('containerCommand'), {...tokens, verb})).toBe(subjects.containerCommand(address, verb))
  })

  it('has the pattern of events, which can be parsed back', () => {
    const subject = fill(readPattern('event'), {...tokens, entity: 'container', what: 'exited'})
    expect(subject).toBe(subjects.event(address, 'container.exited'))
    expect(subjects.parseEvent(subject)).toEqual({address, type: 'container.exited'})
  })

  it('has the pattern of output', () => {
    for (const stream of ['stdout', 'stderr'] as const)
      expect(fill(readPattern('log'), {...tokens, stream})).toBe(subjects.log(address, stream))
  })

  it('has the pattern of samples', () => {
    expect(fill(readPattern('stats'), tokens)).toBe(subjects.stats(address))
  })

  it('has the subjects of a supervisor alone, and how it gets what was sent to the container', () => {
    expect(fill(readPattern('own'), tokens)).toBe(subjects.own(address))
    expect(fill(readPattern('awake'), tokens)).toBe(subjects.awake(address))
    expect(text).toContain(
      `\`${subjects.toOwn('tally.cmd.node.ns.id.verb')?.replace('node.ns.id', '<node>.<ns>.<id>').replace('verb', '<verb>')}\``,
    )
  })

  it('has every verb and stream of subjects', () => {
    const [node, container, event, stream] = readRows(text, 'token', 'one of').map((row) => readCode(row['one of'] ?? ''))
    expect(node).toEqual(nodeVerbs)
    expect(container).toEqual(containerVerbs)
    expect(event?.filter((type) => !isEventType(type))).toEqual([])
    expect(stream).toEqual(['stdout', 'stderr'])
  })

  it('shows filters as the code builds them', () => {
    const rows = readRows(text, 'filter', 'subject')
    expect(rows.length).toBeGreaterThan(2)
    for (const row of rows) {
      const filter = filterSchema.parse(JSON.parse(unquote(row['filter'] ?? '')))
      expect(unquote(row['subject'] ?? '')).toBe(subjects.events(filter))
    }
  })

  it('has the headers of output messages, and no other', () => {
    const documented = readRows(text, 'header', 'on', 'meaning').map((row) => unquote(row['header'] ?? ''))
    expect(documented).toEqual([offsetHeader, timeHeader, endHeader])
  })
})

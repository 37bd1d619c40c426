import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import type {ContainerAddress} from '../../../machines/ledger/ids.ts'
import {createSubjects} from '../../../src/messaging/subjects.ts'
import {eventTypes} from '../support/arbitrary-event.ts'

const address: ContainerAddress = {node: 'n1', namespace: 'default', id: 'web'}
const subjects = createSubjects()

const id = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/)
const prefix = fc.array(id, {minLength: 1, maxLength: 3}).map((tokens) => tokens.join('.'))

describe('subjects', () => {
  it('are built as in the table of docs/subjects.md', () => {
    expect(subjects.nodeCommand('n1', 'create')).toBe('tally.cmd.n1.create')
    expect(subjects.containerCommand(address, 'start')).toBe('tally.cmd.n1.default.web.start')
    expect(subjects.event(address, 'container.exited')).toBe('tally.evt.n1.default.web.container.exited')
    expect(subjects.log(address, 'stderr')).toBe('tally.log.n1.default.web.stderr')
  })

  it('begin with the prefix, which has one or several tokens', () => {
    expect(createSubjects('acme.prod').event(address, 'container.started')).toBe('acme.prod.evt.n1.default.web.container.started')
    expect(createSubjects('acme').prefix).toBe('acme')
  })

  it('of events are parsed into the address that they were built from', () => {
    fc.assert(
      fc.property(prefix, fc.record({node: id, namespace: id, id}), fc.constantFrom(...eventTypes), (token, place, type) => {
        const own = createSubjects(token)
        expect(own.parseEvent(own.event(place, type))).toEqual({address: place, type})
      }),
    )
  })

  it.each([
    '',
    'tally.evt.',
    'tally.evt.n1.default.web',
    'tally.evt.n1.default.web.container',
    'tally.evt.n1.default.web.container.vanished',
    'tally.evt.n1.default.web.container.exited.x',
    'tally.evt.n1.*.web.container.exited',
    'tally.evt.n1..web.container.exited',
    'tally.cmd.n1.default.web.container.exited',
    'other.evt.n1.default.web.container.exited',
    'tallyman.evt.n1.default.web.container.exited',
  ])('of other kinds are not parsed: %j', (subject) => {
    expect(subjects.parseEvent(subject)).toBeUndefined()
  })
})

describe('a filter of events', () => {
  it.each([
    [undefined, 'tally.evt.*.*.*.>'],
    [{}, 'tally.evt.*.*.*.>'],
    [{node: 'n1'}, 'tally.evt.n1.*.*.>'],
    [{namespace: 'ns', id: 'web'}, 'tally.evt.*.ns.web.>'],
    [{type: 'container.exited' as const}, 'tally.evt.*.*.*.container.exited'],
    [{...address, type: 'supervisor.adopted' as const}, 'tally.evt.n1.default.web.supervisor.adopted'],
  ])('%j is %s', (filter, subject) => {
    expect(subjects.events(filter)).toBe(subject)
  })
})

describe('an invalid token', () => {
  const bad = ['', '*', '>', 'a.b', 'a b', '-a', 'a\r\nPUB x', 'x'.repeat(64)]
  const refused = expect.objectContaining({code: 'INVALID_ARGUMENT', kind: 'invalid'})

  it.each(bad)('is rejected everywhere: %j', (token) => {
    expect(() => subjects.nodeCommand(token, 'list')).toThrow(refused)
    for (const field of ['node', 'namespace', 'id']) {
      const place = {...address, [field]: token}
      expect(() => subjects.containerCommand(place, 'start')).toThrow(refused)
      expect(() => subjects.event(place, 'container.started')).toThrow(refused)
      expect(() => subjects.log(place, 'stdout')).toThrow(refused)
      expect(() => subjects.events({[field]: token})).toThrow(refused)
    }
  })

  it.each(['', '.', 'a.', '.a', 'a..b', 'a b', '*', 'a.>', '$SYS', 'a\n'])('is rejected as a prefix: %j', (token) => {
    expect(() => createSubjects(token)).toThrow(refused)
  })

  it('is named by the error', () => {
    expect(() => subjects.nodeCommand('a.b', 'list')).toThrow('expected 1 to 63 of A-Z a-z 0-9 _ -, the first a letter or digit, got "a.b"')
  })
})

describe("a supervisor's own subject", () => {
  it('is made of that of a command or of input, and gives it back', () => {
    const kill = subjects.containerCommand(address, 'close-stdin')
    const input = subjects.io(address, 'init', 'stdin')
    expect(subjects.toOwn(kill)).toBe('tally.own.n1.default.web.cmd.close-stdin')
    expect(subjects.toOwn(input)).toBe('tally.own.n1.default.web.io.init.stdin')
    for (const subject of [kill, input]) expect(subjects.fromOwn(subjects.toOwn(subject) ?? '')).toBe(subject)
  })

  it('is nothing else', () => {
    expect(subjects.toOwn(subjects.stats(address))).toBeUndefined()
    expect(subjects.fromOwn(subjects.awake(address))).toBeUndefined()
    expect(subjects.fromOwn(subjects.containerCommand(address, 'kill'))).toBeUndefined()
  })

  it('has any prefix', () => {
    const own = createSubjects('acme.prod')
    const kill = own.containerCommand(address, 'kill')
    expect(own.fromOwn(own.toOwn(kill) ?? '')).toBe(kill)
    expect(own.parseVerb(kill)).toBe('kill')
    expect(own.parseVerb(own.nodeCommand('n1', 'list'))).toBeUndefined()
  })
})

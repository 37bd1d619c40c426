import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {cloudEventContentType, parseLedgerEvent, toCloudEvent, toEventId} from '../../../../machines/ledger/cloud-event.ts'
import {happen, toHistory} from '../../../support/given.ts'
import {arbitraryEvent, eventTypes} from '../../support/arbitrary-event.ts'

const [event] = toHistory([happen.killRequested])
if (!event) throw new Error('no event')
const envelope = toCloudEvent(event)

describe('a cloud event', () => {
  it('has the attributes of CloudEvents 1.0 in a fixed order', () => {
    expect(JSON.stringify(envelope)).toBe(
      JSON.stringify({
        specversion: '1.0',
        id: 'u1:1',
        source: '/tally/node/default/web',
        type: 'io.tallyman.container.kill-requested',
        time: '2026-01-02T03:04:05.000Z',
        sequence: 1,
        correlationid: 'c1',
        actor: 'test',
        datacontenttype: 'application/json',
        data: {signal: 'SIGHUP'},
      }),
    )
    expect(cloudEventContentType).toBe('application/cloudevents+json')
  })

  it('has a causation id when it has a cause', () => {
    expect(toCloudEvent({...event, causationId: 'u1:9'})).toEqual({...envelope, causationid: 'u1:9'})
  })

  it.each(eventTypes)('%s has the same bytes after it was read from a journal, whatever the order of its fields', (type) => {
    fc.assert(
      fc.property(arbitraryEvent(type), (original) => {
        const line = JSON.stringify(toCloudEvent({...original, data: reverseFields(original.data)} as typeof original))
        expect(JSON.stringify(toCloudEvent(parseLedgerEvent(line)))).toBe(line)
      }),
    )
  })

  it('has an id of uid and sequence', () => {
    expect(toEventId({uid: 'a:b', sequence: 12})).toBe('a:b:12')
  })

  it.each(eventTypes)('%s is parsed into the original event', (type) => {
    fc.assert(
      fc.property(arbitraryEvent(type), (original) => {
        expect(parseLedgerEvent(JSON.stringify(toCloudEvent(original)))).toEqual(original)
      }),
    )
  })

  it('may have attributes and data that a later release added', () => {
    const later = {...envelope, traceparent: '00-1', data: {signal: 'SIGHUP', newer: true}}
    expect(parseLedgerEvent(JSON.stringify(later))).toEqual(event)
  })
})

describe('parsing throws', () => {
  it.each<[string, Record<string, unknown>]>([
    ['an id of another sequence', {id: 'u1:2'}],
    ['an id without a sequence', {id: 'u1'}],
    ['an id whose sequence has a leading zero', {id: 'u1:01'}],
    ['a sequence of 0', {id: 'u1:0', sequence: 0}],
    ['a fractional sequence', {id: 'u1:1.5', sequence: 1.5}],
    ['an unknown type', {type: 'io.tallyman.container.vanished'}],
    ['a type of another program', {type: 'com.example.container.kill-requested'}],
    ['a type without its prefix', {type: 'container.kill-requested'}],
    ['the name of a property of every object as type', {type: 'io.tallyman.toString'}],
    ['another version', {specversion: '0.3'}],
    ['another content type', {datacontenttype: 'text/plain'}],
    ['an invalid time', {time: 'yesterday'}],
    ['data of another type of event', {data: {}}],
    ['an invalid signal', {data: {signal: 'SIGNOPE'}}],
    ['no data', {data: undefined}],
    ['no source', {source: undefined}],
    ['no actor', {actor: undefined}],
    ['no correlation', {correlationid: undefined}],
  ])('for %s', (_, change) => {
    expect(() => parseLedgerEvent(JSON.stringify({...envelope, ...change}))).toThrow()
  })

  it.each(['', 'null', '5', '[]', '{}', '"x"', '{"specversion":"1.0"', '\0\0\0', `${JSON.stringify(envelope)}x`])('for %j', (text) => {
    expect(() => parseLedgerEvent(text)).toThrow()
  })

  it('for every truncated line', () => {
    const line = JSON.stringify(envelope)
    for (let length = 0; length < line.length; length += 1) expect(() => parseLedgerEvent(line.slice(0, length))).toThrow()
  })
})

function reverseFields(data: object): object {
  return Object.fromEntries(Object.entries(data).reverse())
}

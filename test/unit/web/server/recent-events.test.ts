import {expect, test} from 'vitest'
import {createRecentEvents, type RecentEventsLimits} from '../../../../src/web/server/recent-events.ts'
import {numberedEvents} from '../../../support/numbered-events.ts'

const events = numberedEvents({address: {node: 'n1', namespace: 'default', id: 'web'}, uid: 'u1', count: 100})
const stream = {created: '2026-01-02T03:04:05Z', lastSequence: 10}

/** Each event becomes one line, which begins with its place. */
function open({eventCharacters = 10, ...limits}: Partial<RecentEventsLimits> & {readonly eventCharacters?: number} = {}) {
  const recent = createRecentEvents(stream, undefined, {
    mostEvents: 8,
    mostCharacters: 1_000_000,
    format: ({streamSequence}) => `${streamSequence}`.padEnd(eventCharacters - 1, '.').concat('\n'),
    ...limits,
  })
  const add = (...places: readonly number[]) => {
    for (const streamSequence of places)
      for (const event of events.slice(streamSequence - 1, streamSequence)) recent.add({event, streamSequence, storedAtMs: 0})
  }
  const placesAfter = (place: number) => {
    const next = recent.after(place)
    return next.type === 'events' ? next.text.split('\n').filter(Boolean).map(Number.parseFloat) : next.type
  }
  return {recent, add, placesAfter}
}

test('begins at the end of the stream: a listener that is there is live, and one before it is behind', () => {
  const {recent, placesAfter} = open()
  expect([recent.floor, recent.newest, recent.latest]).toEqual([10, 10, undefined])
  expect([placesAfter(9), placesAfter(10), placesAfter(11)]).toEqual(['behind', 'live', 'live'])
})

test('gives a listener what comes after its place, over gaps in the stream, until it is live', () => {
  const {recent, add, placesAfter} = open()
  add(11, 13, 14)
  expect([placesAfter(10), placesAfter(11), placesAfter(12), placesAfter(14)]).toEqual([[11, 13, 14], [13, 14], [13, 14], 'live'])
  expect(recent.after(10)).toMatchObject({place: 14})
  expect(recent.latest?.streamSequence).toBe(14)
})

test('takes no event twice', () => {
  const {add, placesAfter} = open()
  add(11, 12, 11, 12)
  expect(placesAfter(10)).toEqual([11, 12])
})

test('drops the older half of more events than are kept, and a listener before those is behind', () => {
  const {recent, add, placesAfter} = open()
  add(11, 12, 13, 14, 15, 16, 17, 18, 19)
  expect([recent.floor, recent.newest]).toEqual([15, 19])
  expect([placesAfter(14), placesAfter(15), placesAfter(18)]).toEqual(['behind', [16, 17, 18, 19], [19]])
})

test('keeps no more characters than it may', () => {
  const {recent, add} = open({mostCharacters: 45})
  add(11, 12, 13, 14)
  expect(recent.floor).toBe(10)
  add(15)
  expect(recent.floor).toBe(13)
  add(16, 17)
  expect([recent.floor, recent.newest]).toEqual([13, 17])
})

test('sends pieces of about 64 KiB, from which a listener goes on', () => {
  const {recent, add} = open({mostEvents: 50, eventCharacters: 20_000})
  add(...Array.from({length: 10}, (_, index) => 11 + index))
  const pieces: number[] = []
  for (let next = recent.after(10); next.type === 'events'; next = recent.after(next.place)) pieces.push(next.text.length)
  expect(pieces).toEqual([80_000, 80_000, 40_000])
})

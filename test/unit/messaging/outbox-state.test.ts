import {expect, test} from 'vitest'
import {applyToOutbox, decideActivity, type OutboxEvent, type OutboxState, toInitialState} from '../../../src/messaging/outbox-state.ts'

const lookMs = 30_000
const at = (nowMs: number, chance = 0.5) => ({nowMs, chance, lookMs})
const place = (sequence: number, streamSequence = sequence) => ({sequence, streamSequence})

/** Each event with the time at which it happens. */
function after(fresh: boolean, ...events: readonly (readonly [nowMs: number, event: OutboxEvent, chance?: number])[]): OutboxState {
  const initial = toInitialState(fresh, {nowMs: 0, lookMs})
  return events.reduce<OutboxState>((state, [nowMs, event, chance]) => applyToOutbox(state, event, at(nowMs, chance)), initial)
}

const connected: OutboxEvent = {type: 'connected'}
const published = (sequence: number, streamSequence?: number): OutboxEvent => ({type: 'published', place: place(sequence, streamSequence)})

test('without a connection nothing is done', () => {
  expect(decideActivity(after(true), 5, 100_000)).toEqual({type: 'disconnected'})
  expect(decideActivity(after(true, [0, connected], [1, {type: 'disconnected'}]), 5, 100_000)).toEqual({type: 'disconnected'})
})

test('a new container publishes at once; one that is taken over is compared with the stream first', () => {
  expect(decideActivity(after(true, [0, connected]), 3, 0)).toEqual({type: 'publishing', after: 0})
  expect(decideActivity(after(false, [0, connected]), 3, 0)).toEqual({type: 'comparing'})
})

test('an idle outbox checks the stream after the usual time, give or take half of it', () => {
  const state = after(true, [0, connected])
  expect(decideActivity(state, 0, 29_999)).toEqual({type: 'idle', untilMs: lookMs})
  expect(decideActivity(state, 0, 30_000)).toEqual({type: 'checking'})
  for (const [chance, untilMs] of [
    [0, 45_000],
    [0.5, 60_000],
    [1, 75_000],
  ] as const)
    expect(decideActivity(applyToOutbox(state, {type: 'check-begun'}, at(30_000, chance)), 0, 30_000)).toEqual({type: 'idle', untilMs})
})

test('a check comes before what is to be published', () => {
  expect(decideActivity(after(true, [0, connected]), 3, 30_000)).toEqual({type: 'checking'})
})

test('a publication brings the next check forward to 1.5 to 4.5 seconds, and never defers it', () => {
  const soon = after(true, [0, connected], [1_000, published(1)])
  expect(decideActivity(soon, 1, 1_000)).toEqual({type: 'idle', untilMs: 4_000})
  expect(decideActivity(applyToOutbox(soon, published(2), at(3_000)), 2, 3_000)).toEqual({type: 'idle', untilMs: 4_000})
})

test('a change of the stream brings the check forward to within half a second', () => {
  for (const [chance, untilMs] of [
    [0.2, 1_100],
    [1, 1_500],
  ] as const)
    expect(decideActivity(after(true, [0, connected], [1_000, {type: 'stream-changed'}, chance]), 0, 1_000)).toEqual({
      type: 'idle',
      untilMs,
    })
})

test('a change of the stream during a check or a comparison leads to another check', () => {
  const checking = after(true, [0, connected], [30_000, {type: 'check-begun'}], [30_000, {type: 'stream-changed'}])
  expect(decideActivity(checking, 0, 30_250)).toEqual({type: 'checking'})
  const comparing = after(false, [0, connected], [0, {type: 'comparison-begun'}], [0, {type: 'stream-changed'}])
  const compared = applyToOutbox(comparing, {type: 'compared', extent: {first: place(1), latest: place(2)}}, at(100))
  expect(decideActivity(compared, 2, 250)).toEqual({type: 'checking'})
})

test('a doubt leads to a comparison, also one that arises during a comparison', () => {
  const doubted = after(true, [0, connected], [0, published(1)], [0, {type: 'doubted'}])
  expect(decideActivity(doubted, 1, 0)).toEqual({type: 'comparing'})
  const again = [{type: 'comparison-begun'}, {type: 'doubted'}, {type: 'compared', extent: doubted.extent}] as const
  expect(
    decideActivity(
      again.reduce((state: OutboxState, event) => applyToOutbox(state, event, at(0)), doubted),
      1,
      0,
    ),
  ).toEqual({
    type: 'comparing',
  })
})

test('after a comparison what the stream lacks is published, behind what it has', () => {
  const extent = {first: place(1, 7), latest: place(4, 10)}
  const state = after(false, [0, connected], [0, {type: 'comparison-begun'}], [10, {type: 'compared', extent}])
  expect(state.extent).toEqual(extent)
  expect(decideActivity(state, 6, 10)).toEqual({type: 'publishing', after: 4})
})

test('a comparison that the connection did not survive is begun again with the next', () => {
  const state = after(false, [0, connected], [0, {type: 'comparison-begun'}], [5, {type: 'disconnected'}], [9, connected])
  expect(decideActivity(state, 6, 9)).toEqual({type: 'comparing'})
})

test('a new connection checks the stream if anything was published, and compares it if anything was removed', () => {
  const lost = after(true, [0, connected], [0, published(1)], [1, {type: 'disconnected'}])
  expect(decideActivity(applyToOutbox(lost, connected, at(2)), 1, 2)).toEqual({type: 'checking'})
  const removed = applyToOutbox(lost, {type: 'removed'}, at(2))
  expect(decideActivity(applyToOutbox(removed, connected, at(3)), 1, 3)).toEqual({type: 'comparing'})
})

test('an event that is stored below the one before it is in another stream: it is not confirmed, and everything is compared', () => {
  const before = after(true, [0, connected], [0, published(1, 41)], [0, published(2, 42)])
  for (const streamSequence of [1, 42]) {
    const state = applyToOutbox(before, published(3, streamSequence), at(5))
    expect(state.extent).toEqual({first: place(1, 41), latest: place(2, 42)})
    expect(decideActivity(state, 3, 5)).toEqual({type: 'comparing'})
  }
})

test('an acknowledgement that comes after a doubt confirms nothing', () => {
  const state = after(true, [0, connected], [0, {type: 'doubted'}], [1, published(1)])
  expect(state.extent.latest.sequence).toBe(0)
  expect(decideActivity(state, 1, 1)).toEqual({type: 'comparing'})
})

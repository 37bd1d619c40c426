import {expect, test} from 'vitest'
import {type Comparison, nowhere, type Place} from '../../../src/messaging/compare-stream.ts'
import {type JudgedStream, judgeComparison} from '../../../src/messaging/judge-comparison.ts'
import {numberedEvents} from '../../support/numbered-events.ts'

const events = numberedEvents({address: {node: 'n1', namespace: 'default', id: 'web'}, uid: 'u1', count: 6})
const source = {latestSequence: () => events.length, read: (after = 0) => events.slice(after)}
const place = (sequence: number, streamSequence = sequence): Place => ({sequence, streamSequence})
const streamed = (sequence: number, streamSequence: number) =>
  events.filter((event) => event.sequence === sequence).map((event) => ({event, streamSequence, storedAtMs: 0}))
const nothing: Comparison = {first: nowhere, kept: nowhere, wrong: []}

function stream(confirmed: Place, state: Partial<JudgedStream['state']> = {}): JudgedStream {
  const extent = confirmed === nowhere ? {first: nowhere, latest: nowhere} : {first: place(1), latest: confirmed}
  return {confirmed: extent, state: {isLimited: false, lastSequence: 100, droppedBeforeMs: 0, ...state}, source}
}

test('a stream that has all that it confirmed is left as it is', () => {
  const judged = judgeComparison({first: place(1), kept: place(6), wrong: []}, stream(place(6)))
  expect(judged).toEqual({extent: {first: place(1), latest: place(6)}, wrong: [], rebuilding: undefined})
})

test('a deleted stream gets everything again, and every confirmed event counts as missing', () => {
  expect(judgeComparison(nothing, stream(place(6), {lastSequence: 0}))).toEqual({
    extent: {first: nowhere, latest: nowhere},
    wrong: [],
    rebuilding: {from: 1, missing: 6, removed: 0},
  })
})

test('what comes behind a gap is removed and published again in order; removed events are not counted as missing', () => {
  const wrong = [...streamed(4, 4), ...streamed(5, 5), ...streamed(6, 6)]
  const judged = judgeComparison({first: place(1), kept: place(2), wrong}, stream(place(6)))
  expect(judged).toEqual({
    extent: {first: place(1), latest: place(2)},
    wrong,
    rebuilding: {from: 3, missing: 1, removed: 3},
  })
})

test('doubled events are removed, and nothing is missing', () => {
  const wrong = [...streamed(3, 7), ...streamed(3, 8)]
  expect(judgeComparison({first: place(1), kept: place(6), wrong}, stream(place(6)))).toMatchObject({
    extent: {latest: place(6)},
    rebuilding: {from: 7, missing: 0, removed: 2},
  })
})

test('a limited stream that dropped everything confirmed is no loss: nothing is published again', () => {
  const confirmed = stream(place(4, 40), {isLimited: true, lastSequence: 90})
  expect(judgeComparison(nothing, confirmed)).toEqual({extent: confirmed.confirmed, wrong: [], rebuilding: undefined})
})

test('a limited stream that was made again, and has not come as far, gets everything', () => {
  expect(judgeComparison(nothing, stream(place(4, 40), {isLimited: true, lastSequence: 39}))).toMatchObject({
    extent: {latest: nowhere},
    rebuilding: {from: 1, missing: 4, removed: 0},
  })
})

test('the successor of a supervisor publishes to an empty limited stream what the stream would still keep, and the last event always', () => {
  const [, , , fourth] = events
  const droppedBeforeMs = Date.parse(fourth?.time ?? '')
  const judge = (beforeMs: number) => judgeComparison(nothing, stream(nowhere, {isLimited: true, droppedBeforeMs: beforeMs}))
  expect(judge(droppedBeforeMs)).toMatchObject({extent: {latest: {sequence: 3, streamSequence: 0}}, rebuilding: undefined})
  expect(judge(Number.MAX_SAFE_INTEGER)).toMatchObject({extent: {latest: {sequence: 5, streamSequence: 0}}, rebuilding: undefined})
  expect(judge(0)).toMatchObject({extent: {latest: nowhere}, rebuilding: undefined})
})

import {describe, expect, it} from 'vitest'
import {foldEvents, toTopLevelState} from '../../../../machines/ledger/ledger.ts'
import {createTimeline, sequenceAt} from '../../../../src/web/page/model/timeline.ts'
import {readHistory} from './recorded.ts'

const events = readHistory('0.1.0/whole-life.jsonl')

describe('a timeline', () => {
  it('has the folded state after each event', () => {
    const timeline = createTimeline(events)
    const orders = [events.length, 0, 3, 1, events.length - 1]
    for (const sequence of orders) {
      expect(timeline.at(sequence).snapshot.value).toEqual(foldEvents(events.slice(0, sequence)).snapshot.value)
      expect(timeline.at(sequence).snapshot.context).toEqual(foldEvents(events.slice(0, sequence)).snapshot.context)
    }
    expect(toTopLevelState(timeline.at(0))).toBe('absent')
  })

  it('ends with the last event', () => {
    const timeline = createTimeline(events)
    expect(timeline.at(10_000)).toBe(timeline.at(events.length))
    expect(timeline.at(-1)).toBe(timeline.at(0))
  })

  it('is extended by new events and ignores known ones', () => {
    const first = createTimeline(events.slice(0, 3))
    const known = first.at(3)
    const all = first.append(events)
    expect(all.events).toEqual(events)
    expect(all.at(3)).toBe(known)
    expect(all.append(events).events).toHaveLength(events.length)
  })

  it('finds the last event before a time', () => {
    expect(sequenceAt(events, events[2]?.time ?? '')).toBeGreaterThanOrEqual(3)
    expect(sequenceAt(events, '2000-01-01T00:00:00Z')).toBe(0)
  })
})

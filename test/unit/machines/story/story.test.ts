import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {parseLedgerEvent} from '../../../../machines/ledger/cloud-event.ts'
import {eventSchemas, isEventType} from '../../../../machines/ledger/events.ts'
import {formatBytes, formatSpan} from '../../../../machines/story/spans.ts'
import {toStory} from '../../../../machines/story/story.ts'
import {tell} from '../../../../machines/story/tell.ts'
import {goldenJournals} from '../../../replay/golden-journals.ts'
import {epoch, happen, toHistory} from '../../../support/given.ts'
import {arbitraryEvent} from '../../support/arbitrary-event.ts'

const now = Date.parse('2026-12-01T00:00:00.000Z')
const readGolden = (name: string) => (goldenJournals.find((one) => one.name === name)?.lines ?? []).map(parseLedgerEvent)
const storyOf = (name: string) => toStory(readGolden(name), now)

describe.each(goldenJournals)('the story of $name', ({lines, view}) => {
  const story = toStory(lines.map(parseLedgerEvent), now)

  it('has a step for every event, each with a sentence', () => {
    expect(story?.steps.map(({sequence}) => sequence)).toEqual(lines.map((_, index) => index + 1))
    for (const {text} of story?.steps ?? []) expect(text).not.toMatch(/undefined|\[object|NaN/)
  })

  it('ends in the state of the chart', () => {
    expect(story?.state).toBe(Object(view).state)
  })

  it('has causes that precede their effects', () => {
    for (const {sequence, cause, depth} of story?.steps ?? []) {
      expect(cause?.sequence ?? 0).toBeLessThan(sequence)
      expect(depth > 0).toBe(cause !== undefined)
      expect(cause?.tookMs ?? 0).toBeGreaterThanOrEqual(0)
    }
  })
})

describe('a story', () => {
  it('infers the cause of an exit when none is recorded', () => {
    const last = (name: string) => storyOf(name)?.steps.find(({type}) => type === 'container.exited')
    expect(last('0.4.0/republished')).toMatchObject({
      cause: {sequence: 10, certainty: 'inferred'},
      text: expect.stringMatching(/^the container was killed by SIGKILL/),
    })
    expect(last('0.2.0/oom')).toMatchObject({cause: {sequence: 6, certainty: 'inferred'}})
    expect(last('0.3.0/checkpointed')).toMatchObject({cause: {sequence: 12, certainty: 'inferred'}})
    expect(last('0.1.0/failures')?.cause).toBeUndefined()
  })

  it('tells what was lost', () => {
    expect(storyOf('0.1.0/adopted')?.losses).toEqual([
      {sequence: 5, text: 'there was no supervisor for a while'},
      {sequence: 6, text: 'the exit status of the container: it ended while it had no supervisor'},
    ])
    expect(storyOf('0.4.0/gave-up')?.losses).toContainEqual({
      sequence: 15,
      text: 'there was no supervisor until the node was started again',
    })
    expect(storyOf('0.4.0/republished')?.losses.map(({text}) => text)).toContain(
      'the stream had lost 4 events, which the journal still had',
    )
    expect(storyOf('0.1.0/whole-life')?.losses).toEqual([])
  })

  it('names the missing events of a ledger with gaps', () => {
    const events = toHistory([happen.createRequested, happen.created, happen.startRequested, happen.started, happen.exited])
    const story = toStory([...events.slice(1, 2), ...events.slice(4)], now)
    expect(story).toMatchObject({
      state: undefined,
      losses: [{text: 'event 1 is not in the stream'}, {text: 'events 3 to 4 are not in the stream'}],
    })
    expect(story?.steps.map(({sequence}) => sequence)).toEqual([2, 5])
  })

  it('drops duplicates and restores the order', () => {
    const events = toHistory([happen.createRequested, happen.created, happen.startRequested, happen.started])
    expect(toStory([...events.toReversed(), ...events], now)).toEqual(toStory(events, now))
  })

  it('names the event at which a ledger is inconsistent', () => {
    const {losses} = toStory(toHistory([happen.createRequested, happen.started]), now) ?? {}
    expect(losses).toEqual([{text: 'the ledger is inconsistent at event 2: container.started is impossible in state creating'}])
  })

  it('says how long the container has run', () => {
    const running = toHistory([happen.createRequested, happen.created, happen.startRequested, happen.started])
    expect(toStory(running.slice(0, 3), now)?.ranMs).toBeUndefined()
    expect(toStory(running, epoch + 10_000)?.ranMs).toBe(7_000)
    const exited = {...happen.exited, data: {...happen.exited.data, exitedAt: new Date(epoch + 3_500).toISOString()}}
    expect(toStory([...running, ...toHistory([exited], 5)], now)?.ranMs).toBe(500)
  })

  it('is undefined without events', () => {
    expect(toStory([], now)).toBeUndefined()
  })
})

describe('the sentence of an event', () => {
  it.each(Object.keys(eventSchemas).filter(isEventType))('of type %s exists for any data', (type) => {
    fc.assert(
      fc.property(arbitraryEvent(type), (event) => {
        const {text} = tell(event)
        expect(text.length).toBeGreaterThan(3)
        expect(text).not.toMatch(/\[object/)
      }),
      {numRuns: 20},
    )
  })
})

describe('a duration or size', () => {
  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [1_234, '1.2 s'],
    [59_999, '59.9 s'],
    [60_000, '1 min'],
    [185_000, '3 min 5 s'],
    [3_600_000, '1 h'],
    [7_380_000, '2 h 3 min'],
    [352_800_000, '4 d 2 h'],
  ])('of %i ms is %s', (ms, text) => {
    expect(formatSpan(ms)).toBe(text)
  })

  it.each([
    [0, '0 B'],
    [1_023, '1023 B'],
    [4_509_000, '4.3 MiB'],
    [2 ** 31, '2 GiB'],
  ])('of %i bytes is %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text)
  })
})

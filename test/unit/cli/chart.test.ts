import {describe, expect, it} from 'vitest'
import type {LedgerEvent} from '../../../machines/ledger/events.ts'
import {parseAt} from '../../../src/cli/chart.ts'
import {toFormat} from '../../../src/cli/chart-formats.ts'
import {toMoment} from '../../../src/cli/chart-history.ts'
import {toCaption} from '../../../src/cli/chart-moment.ts'
import {toFrame} from '../../../src/cli/live-screen.ts'
import {wholeLife} from '../chart/journals.ts'

const [begun] = wholeLife
/** Another container that had the id a day later. */
const later: readonly LedgerEvent[] = wholeLife.slice(0, 4).map((event) => ({
  ...event,
  uid: 'another',
  time: new Date(Date.parse(event.time) + 86_400_000).toISOString(),
}))
const both = [...wholeLife, ...later]

describe('the events up to a moment', () => {
  it('are all of the last container that has the id', () => {
    expect(toMoment(both, undefined, 'web')).toEqual(later)
    expect(toMoment(wholeLife, undefined, 'web')).toEqual(wholeLife)
  })

  it('end with the event of a number', () => {
    expect(toMoment(both, {sequence: 2}, 'web')).toEqual(later.slice(0, 2))
  })

  it('are those of the container that had the id at that time', () => {
    const [, second] = wholeLife
    expect(toMoment(both, {time: new Date(second?.time ?? '')}, 'web')).toEqual(
      wholeLife.filter(({time}) => Date.parse(time) <= Date.parse(second?.time ?? '')),
    )
    expect(toMoment(both, {time: new Date(Date.parse(begun?.time ?? '') + 3_600_000)}, 'web')).toEqual(wholeLife)
  })

  it('are refused when there are none', () => {
    expect(() => toMoment(both, {sequence: 5}, 'web')).toThrow('expected --at to be 1 to 4, the latest event of web, got 5')
    expect(() => toMoment(both, {time: new Date(0)}, 'web')).toThrow(/expected --at to be no earlier than .*, when web began, got 1970/)
  })
})

describe('--at', () => {
  it('is a number, a time or a duration', () => {
    expect(parseAt('7')).toEqual({sequence: 7})
    expect(parseAt('2026-01-02T03:04:05Z')).toEqual({time: new Date('2026-01-02T03:04:05Z')})
    expect(parseAt('10m')).toEqual({time: expect.any(Date)})
    expect(() => parseAt('0')).toThrow('at least 1')
    expect(() => parseAt('soon')).toThrow('expected a time')
  })
})

it('the format follows from the name of the file', () => {
  expect(['a.svg', 'b.PNG', 'c.mmd', 'd.gv', 'e'].map(toFormat)).toEqual(['svg', 'png', 'mermaid', 'dot', undefined])
})

it('the caption names the container and its event', () => {
  expect(toCaption('default/web', wholeLife.slice(0, 1))).toBe(`default/web  1  container.create-requested  ${begun?.time}`)
})

it('a frame of the live screen is no higher than the window', () => {
  expect(toFrame('a\nb\nc', {columns: 80, rows: 2})).toBe('\x1b[Ha\x1b[K\r\nb\x1b[K\x1b[J')
})

import {describe, expect, it} from 'vitest'
import {parseCount, parseSeconds, parseSignalName, parseTime} from '../../../src/cli/arguments.ts'
import {addFilter} from '../../../src/cli/events.ts'

const now = Date.parse('2026-01-02T03:04:05.000Z')

describe('a time', () => {
  it.each([
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000Z'],
    ['2026-01-01T00:00:00+01:00', '2025-12-31T23:00:00.000Z'],
    ['10s', '2026-01-02T03:03:55.000Z'],
    ['1h30m', '2026-01-02T01:34:05.000Z'],
    ['1.5d', '2025-12-31T15:04:05.000Z'],
    ['1767225600', '2026-01-01T00:00:00.000Z'],
  ])('%s is %s', (text, expected) => {
    expect(parseTime(text, now).toISOString()).toBe(expected)
  })

  it.each(['', 'yesterday', '10', '5x'].filter((text) => text !== '10'))('%j is refused', (text) => {
    expect(() => parseTime(text, now)).toThrow(/expected a time such as/)
  })
})

describe('numbers and names', () => {
  it('are parsed', () => {
    expect([parseCount('0'), parseCount('12'), parseSeconds('10'), parseSeconds('0.5')]).toEqual([0, 12, 10_000, 500])
    expect([parseSignalName('term'), parseSignalName('9'), parseSignalName('SIGHUP')]).toEqual(['SIGTERM', 'SIGKILL', 'SIGHUP'])
  })

  it.each(['-1', '1.5', 'x', '', '99999999999999999999'])('a count of %j is refused', (text) => {
    expect(() => parseCount(text)).toThrow(/expected a whole number/)
  })

  it.each(['-1', 'x', '', '1e3', '9999999999'])('%j seconds are refused', (text) => {
    expect(() => parseSeconds(text)).toThrow(/expected seconds/)
  })

  it.each(['0', 'FOO', '65', ''])('the signal %j is refused', (text) => {
    expect(() => parseSignalName(text)).toThrow(/expected a signal such as/)
  })
})

describe('a filter of events', () => {
  it('gathers what is asked for', () => {
    expect(addFilter('id=web', addFilter('type=container.exited', {}))).toEqual({id: 'web', type: 'container.exited'})
    expect(addFilter('type=io.tallyman.container.exited', {})).toEqual({type: 'container.exited'})
  })

  it.each(['type=exited', 'id=a.b', 'id', 'colour=red', ''])('%j is refused', (text) => {
    expect(() => addFilter(text, {})).toThrow(/expected/)
  })
})

import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {parseDuration, parseTime} from '../../../src/cli/times.ts'
import {readCode, readProjectFile, readRows} from '../docs/markdown.ts'

const document = readProjectFile('docs/times.md')
const now = Date.parse('2026-01-02T03:04:05.000Z')

const zone = process.env['TZ']
beforeAll(() => {
  process.env['TZ'] = 'Europe/Berlin'
})
afterAll(() => {
  if (zone === undefined) delete process.env['TZ']
  else process.env['TZ'] = zone
})

/** In Berlin, an hour before UTC in winter. */
const times: Readonly<Record<string, string>> = {
  '10m': '2026-01-02T02:54:05.000Z',
  '1h30m': '2026-01-02T01:34:05.000Z',
  '1.5d': '2025-12-31T15:04:05.000Z',
  '200ms': '2026-01-02T03:04:04.800Z',
  '2026-01-02': '2026-01-01T23:00:00.000Z',
  '2026-01-02T03:04': '2026-01-02T02:04:00.000Z',
  '2026-01-02T03:04:05': '2026-01-02T02:04:05.000Z',
  '2026-01-02T03:04:05.678': '2026-01-02T02:04:05.678Z',
  '2026-01-02 03:04:05': '2026-01-02T02:04:05.000Z',
  '2026-01-02T03:04:05Z': '2026-01-02T03:04:05.000Z',
  '2026-01-02T03:04:05.678901234Z': '2026-01-02T03:04:05.678Z',
  '2026-01-02T03:04:05+01:00': '2026-01-02T02:04:05.000Z',
  '2026-01-02+01:00': '2026-01-01T23:00:00.000Z',
  '1767225600': '2026-01-01T00:00:00.000Z',
  '1767225600.5': '2026-01-01T00:00:00.500Z',
}

describe('a time', () => {
  it.each(Object.entries(times))('%s is %s', (text, expected) => {
    expect(parseTime(text, now).toISOString()).toBe(expected)
  })

  it('is documented in every form', () => {
    const written = readRows(document, 'written', 'is').flatMap(({written = ''}) => readCode(written))
    expect(written.sort()).toEqual(expect.arrayContaining(Object.keys(times).sort()))
  })

  it.each([
    ['in summer', '2026-07-02', '2026-07-01T22:00:00.000Z'],
    ['on a leap day', '2028-02-29', '2028-02-28T23:00:00.000Z'],
    ['in small letters', '2026-01-02t03:04:05z', '2026-01-02T03:04:05.000Z'],
    ['in an hour that is left out', '2026-03-29T02:30', '2026-03-29T01:30:00.000Z'],
    ['in an hour that is there twice', '2026-10-25T02:30', '2026-10-25T00:30:00.000Z'],
    ['of a negative offset', '2026-01-02T03:04:05-03:30', '2026-01-02T06:34:05.000Z'],
  ])('%s: %s is %s', (_, text, expected) => {
    expect(parseTime(text, now).toISOString()).toBe(expected)
  })

  const refused = readRows(document, 'refused', 'because').flatMap(({refused: cell = ''}) => readCode(cell))
  it.each([...refused, '', ' ', '2027-02-29', '2026-00-01', '2026-01-02T', '9'.repeat(400), '999999999999d'])('%j is refused', (text) => {
    expect(() => parseTime(text, now)).toThrow(/^expected a time such as .*, or a duration such as 10m, got /)
  })
})

describe('a duration', () => {
  const rows = readRows(document, 'written', 'is, in milliseconds')
  it.each(rows.flatMap(({written = '', 'is, in milliseconds': ms}) => readCode(written).map((text) => [text, Number(ms)] as const)))(
    '%s is %d ms',
    (text, ms) => {
      expect(parseDuration(text)).toBe(ms)
    },
  )

  it.each(['-1', 'x', '', '1e3', '5x', '5M', '1m30', '1h 30m', '2026-01-02'])('%j is not a duration', (text) => {
    expect(() => parseDuration(text)).toThrow(/expected a duration such as 30s, 1m30s, 200ms or 0.5, got/)
  })

  it.each(['25d', '9999999999'])('%j is longer than a timer can wait', (text) => {
    expect(() => parseDuration(text)).toThrow(/expected a duration of up to 24d, got/)
  })
})

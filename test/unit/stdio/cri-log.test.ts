import fc from 'fast-check'
import {afterEach, describe, expect, it} from 'vitest'
import type {StreamName} from '../../../src/stdio/streams.ts'
import {encodeChunk, toLogTime} from '../../support/encode-chunk.ts'
import {decodeLine} from '../../support/decode-line.ts'

const atMs = Date.parse('2026-01-02T03:04:05.123Z')
const time = toLogTime(atMs)
const stream = fc.constantFrom<StreamName[]>('stdout', 'stderr')
/** Output with many newlines and complete lines. */
const someBytes = fc.oneof(
  fc.uint8Array({maxLength: 200}),
  fc.array(fc.constantFrom(0x0a, 0x0d, 0x20, 0x41), {maxLength: 60}).map((bytes) => Uint8Array.from(bytes)),
  fc
    .tuple(fc.integer({min: 16_380, max: 16_390}), fc.constantFrom('', '\n', '\nx'))
    .map(([size, end]) => Buffer.from('y'.repeat(size) + end)),
)

function toLines(log: Buffer): readonly Buffer[] {
  const lines: Buffer[] = []
  for (let from = 0; from < log.length; ) {
    const end = log.indexOf(0x0a, from)
    if (end < 0) throw new Error('the last line is torn')
    lines.push(log.subarray(from, end))
    from = end + 1
  }
  return lines
}

const encode = (text: string) => encodeChunk({stream: 'stdout', atMs, bytes: Buffer.from(text)}).toString()

describe('the CRI log', () => {
  it.each([
    ['a line', 'hello\n', [`stdout F hello`]],
    ['lines', 'a\nb\n', ['stdout F a', 'stdout F b']],
    ['an empty line', '\n', ['stdout F ']],
    ['no newline at the end', 'prompt> ', ['stdout P prompt> ']],
    ['a line and a part', 'a\nb', ['stdout F a', 'stdout P b']],
    ['nothing', '', []],
    ['a line of 16 KiB', `${'x'.repeat(16_384)}\n`, [`stdout F ${'x'.repeat(16_384)}`]],
    ['a line of 16 KiB and one', `${'x'.repeat(16_385)}\n`, [`stdout P ${'x'.repeat(16_384)}`, 'stdout F x']],
    ['40 KiB without a newline', 'x'.repeat(40_960), [16_384, 16_384, 8_192].map((size) => `stdout P ${'x'.repeat(size)}`)],
  ])('encodes %s', (_, text, lines) => {
    expect(encode(text)).toBe(lines.map((line) => `${time} ${line}\n`).join(''))
  })

  it('returns the exact bytes of each stream, however they were divided', () => {
    fc.assert(
      fc.property(fc.array(fc.record({stream, bytes: someBytes}), {maxLength: 12}), (chunks) => {
        const entries = toLines(Buffer.concat(chunks.map((chunk) => encodeChunk({...chunk, atMs})))).map(decodeLine)
        for (const name of ['stdout', 'stderr'] as const) {
          const written = Buffer.concat(chunks.filter((chunk) => chunk.stream === name).map(({bytes}) => bytes))
          const read = Buffer.concat(entries.flatMap((entry) => (entry?.stream === name ? [entry.bytes] : [])))
          expect(read.equals(written)).toBe(true)
        }
        expect(entries.every((entry) => entry?.time === time)).toBe(true)
      }),
    )
  })

  it('has no line longer than 16 KiB and its prefix', () => {
    fc.assert(
      fc.property(someBytes, someBytes, (one, other) => {
        const lines = toLines(encodeChunk({stream: 'stderr', atMs, bytes: Buffer.concat([one, other])}))
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(16_384 + `${time} stderr P `.length)
      }),
    )
  })

  it.each([
    '',
    'x',
    'a b c',
    `${time} stdout F`,
    `${time} stdout X text`,
    `${time} stdin F text`,
    `${time} stdout FP text`,
    '   ',
    `${time}  stdout F text`,
  ])('does not parse the line %j', (line) => {
    expect(decodeLine(Buffer.from(line))).toBeUndefined()
  })
})

describe('the time of a line', () => {
  const zone = process.env['TZ']

  afterEach(() => {
    if (zone === undefined) delete process.env['TZ']
    else process.env['TZ'] = zone
  })

  it.each([
    ['UTC', '2026-01-02T03:04:05.123000000+00:00'],
    ['Europe/Zurich', '2026-01-02T04:04:05.123000000+01:00'],
    ['Asia/Kolkata', '2026-01-02T08:34:05.123000000+05:30'],
    ['America/St_Johns', '2026-01-01T23:34:05.123000000-03:30'],
  ])('in %s is local time with its offset, in nanoseconds', (name, expected) => {
    process.env['TZ'] = name
    expect(toLogTime(atMs)).toBe(expected)
  })

  it('is the same instant in every time zone, also at a change to summer time', () => {
    for (const name of ['UTC', 'Europe/Zurich', 'America/St_Johns', 'Pacific/Chatham']) {
      process.env['TZ'] = name
      for (let hour = 0; hour < 48; hour += 1) {
        const instant = Date.parse('2026-03-28T12:00:00.001Z') + hour * 3_600_000
        expect(Date.parse(toLogTime(instant))).toBe(instant)
      }
    }
  })
})

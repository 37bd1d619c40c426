import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {formatAge, formatGap} from '../../../../src/web/page/wording/duration.ts'
import {toSentence} from '../../../../src/web/page/wording/event-sentence.ts'
import {formatExit, isGoodExit} from '../../../../src/web/page/wording/exit.ts'
import {limitsSentence} from '../../../../src/web/page/wording/limits-sentence.ts'
import {countOf, formatBytes, formatCpu, parseBytes} from '../../../../src/web/page/wording/quantity.ts'
import {toShownState, toViewTone} from '../../../../src/web/page/wording/state.ts'
import {readHistory} from './recorded.ts'

describe('text of the page', () => {
  it.each([
    [0, '0 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [7_200_000, '2 h'],
    [200_000_000, '2 d'],
    [-5, '0 s'],
  ])('shows %d ms as %s', (ms, text) => {
    expect(formatAge(ms)).toBe(text)
  })

  it.each([
    [3.4, '+3 ms'],
    [1_234, '+1.23 s'],
    [120_000, '+2 min'],
  ])('shows a gap of %d ms as %s', (ms, text) => {
    expect(formatGap(ms)).toBe(text)
  })

  it('shows quantities', () => {
    expect([0, 1023, 1024, 1_572_864, 200 * 1024 ** 2].map(formatBytes)).toEqual(['0 B', '1023 B', '1.0 KiB', '1.5 MiB', '200 MiB'])
    expect([0.0012, 0.5, 2].map(formatCpu)).toEqual(['0.1 %', '50 %', '200 %'])
    expect([countOf(1, 'container'), countOf(2, 'container')]).toEqual(['1 container', '2 containers'])
    expect(limitsSentence({memoryBytes: 64 * 1024 ** 2, cpus: null, pidsLimit: 10})).toBe('memory 64.0 MiB, no limit of CPUs, 10 processes')
  })

  it.each([
    ['256m', 268_435_456],
    ['1.5 GiB', 1_610_612_736],
    ['1000', 1000],
    ['much', undefined],
    ['-1', undefined],
  ])('parses %s as %s bytes', (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes)
  })

  it('parses formatted sizes with a small error', () => {
    fc.assert(
      fc.property(fc.integer({min: 1, max: 2 ** 45}), (bytes) => {
        const read = parseBytes(formatBytes(bytes)) ?? 0
        expect(Math.abs(read - bytes) / bytes).toBeLessThan(0.06)
      }),
    )
  })

  it('distinguishes exits', () => {
    expect(formatExit({type: 'code', code: 7})).toBe('exit 7')
    expect(formatExit({type: 'lost', reason: 'host rebooted'})).toBe('status lost')
    expect(isGoodExit({type: 'code', code: 0})).toBe(true)
    expect(isGoodExit({type: 'signal', signal: 'SIGTERM'})).toBe(false)
    expect(toViewTone({state: 'stopped', exit: {type: 'code', code: 1}})).toBe('bad')
    expect(toViewTone({state: 'stopped', exit: {type: 'code', code: 0}})).toBe('quiet')
    expect(toShownState({state: 'running', pausedAt: '2026-01-02T03:04:05Z'})).toBe('paused')
  })

  it.each(['0.1.0/whole-life.jsonl', '0.1.0/failures.jsonl', '0.2.0/execs.jsonl', '0.3.0/checkpointed.jsonl', '0.4.0/gave-up.jsonl'])(
    'has a text for every event of %s, and the code of failures',
    (name) => {
      for (const event of readHistory(name)) {
        const {what, detail, tone} = toSentence(event)
        expect(what).toMatch(/^[A-Z]\S/)
        expect(tone).not.toBe('')
        if ('error' in event.data) expect(detail).toContain(event.data.error.code)
      }
    },
  )
})

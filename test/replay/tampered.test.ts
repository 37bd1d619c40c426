import {describe, expect, it} from 'vitest'
import {type CloudEvent, parseLedgerEvent, toCloudEvent} from '../../machines/ledger/cloud-event.ts'
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import {foldEvents} from '../../machines/ledger/ledger.ts'
import {foldLines, goldenJournals} from './golden-journals.ts'

/** The lines with one line changed. */
function change(lines: readonly string[], index: number, edit: (event: LedgerEvent) => Partial<CloudEvent>): readonly string[] {
  const event = parseLedgerEvent(lines[index] ?? '')
  return lines.with(index, JSON.stringify({...toCloudEvent(event), ...edit(event)}))
}

/** Removes a line and renumbers the rest, as a careful attacker would. */
function renumber(lines: readonly string[]): readonly LedgerEvent[] {
  return lines.map((line, index) => ({...parseLedgerEvent(line), sequence: index + 1}))
}

const steps: ReadonlySet<string> = new Set([
  'container.create-requested',
  'container.created',
  'container.create-failed',
  'container.start-requested',
  'container.started',
  'container.start-failed',
])

describe.each(goldenJournals)('the golden journal $name does not fold', ({lines}) => {
  const indexes = lines.map((_, index) => index)

  it('without any one line except the last', () => {
    for (const index of indexes.slice(0, -1)) expect(() => foldLines(lines.toSpliced(index, 1))).toThrow(/^expected sequence/)
  })

  it('with any line twice', () => {
    for (const index of indexes) expect(() => foldLines(lines.toSpliced(index, 0, lines[index] ?? ''))).toThrow(/^expected sequence/)
  })

  it('with any two lines swapped', () => {
    for (const [one, other] of indexes.flatMap((a) => indexes.slice(a + 1).map((b) => [a, b] as const))) {
      const swapped = lines.with(one, lines[other] ?? '').with(other, lines[one] ?? '')
      expect(() => foldLines(swapped)).toThrow(/^expected sequence/)
    }
  })

  it('with another uid in any line', () => {
    for (const index of indexes) {
      const tampered = change(lines, index, ({sequence}) => ({id: `another:${sequence}`}))
      expect(() => foldLines(tampered)).toThrow(/^expected an event of/)
    }
  })

  it('with another number in the id of any line', () => {
    for (const index of indexes) {
      const tampered = change(lines, index, ({uid, sequence}) => ({id: `${uid}:${sequence + 1}`}))
      expect(() => foldLines(tampered)).toThrow(/^expected id/)
    }
  })

  it('with another sequence in any line', () => {
    for (const index of indexes) {
      const tampered = change(lines, index, ({uid, sequence}) => ({id: `${uid}:${sequence + 1}`, sequence: sequence + 1}))
      expect(() => foldLines(tampered)).toThrow(/^expected sequence/)
    }
  })

  it('without the type or the data of any line', () => {
    for (const index of indexes) {
      expect(() => foldLines(change(lines, index, () => ({type: 'io.tallyman.container.forged'})))).toThrow('unknown event type')
      expect(() => foldLines(change(lines, index, () => ({data: 5})))).toThrow()
    }
  })

  it('with any line truncated', () => {
    for (const index of indexes) expect(() => foldLines(lines.with(index, lines[index]?.slice(0, -1) ?? ''))).toThrow(SyntaxError)
  })

  it('without an event, even when the rest is renumbered', () => {
    const removable = indexes.slice(0, -1).filter((index) => steps.has(parseLedgerEvent(lines[index] ?? '').type))
    expect(removable.length).toBeGreaterThan(0)
    for (const index of removable) expect(() => foldEvents(renumber(lines.toSpliced(index, 1)))).toThrow(/is impossible in state/)
  })
})

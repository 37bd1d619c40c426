/** The state of a container after each of its events. Pure. */
import type {LedgerEvent} from '../../../../machines/ledger/events.ts'
import {applyEvent, emptyLedger, type Ledger} from '../../../../machines/ledger/ledger.ts'

export interface Timeline {
  readonly events: readonly LedgerEvent[]
  /** The state after the event `sequence`; 0 is before the first. Each event is folded once. */
  at(sequence: number): Ledger
  /** A timeline with further events. Folded states are reused. */
  append(events: readonly LedgerEvent[]): Timeline
}

/** @param events all events from the first, without gaps */
export function createTimeline(events: readonly LedgerEvent[], folded: Ledger[] = [emptyLedger]): Timeline {
  return {
    events,
    at: (sequence) => {
      const wanted = Math.max(0, Math.min(sequence, events.length))
      for (let next = folded.length; next <= wanted; next++) {
        const event = events[next - 1]
        if (event) folded.push(applyEvent(folded[next - 1] ?? emptyLedger, event).ledger)
      }
      return folded[wanted] ?? emptyLedger
    },
    append: (more) => {
      const next = more.filter(({sequence}) => sequence > events.length)
      return next.length === 0 ? createTimeline(events, folded) : createTimeline([...events, ...next], folded)
    },
  }
}

/** The sequence of the last event at or before a time; 0 when all are later. @param time RFC 3339 */
export function sequenceAt(events: readonly LedgerEvent[], time: string): number {
  const wanted = Date.parse(time)
  return events.findLast((event) => Date.parse(event.time) <= wanted)?.sequence ?? 0
}

/** What the page of a container shows: all events, and the selected moment between them. */
import type {ContainerAddress} from '../../../../machines/ledger/ids.ts'
import type {LedgerEvent} from '../../../../machines/ledger/events.ts'
import type {Ledger} from '../../../../machines/ledger/ledger.ts'
import type {Timeline} from '../model/timeline.ts'

export interface Moment {
  readonly address: ContainerAddress
  readonly uid: string
  readonly timeline: Timeline
  /** The container is shown as it was after this event. */
  readonly sequence: number
  /** Undefined before the first event. */
  readonly event: LedgerEvent | undefined
  readonly ledger: Ledger
  readonly before: Ledger
  /** The present; at a moment in the past commands are not offered. */
  readonly isNow: boolean
}

/** @param at a sequence; undefined for the present */
export function toMoment(address: ContainerAddress, uid: string, timeline: Timeline, at: number | undefined): Moment {
  const last = timeline.events.length
  const sequence = Math.min(at ?? last, last)
  return {
    address,
    uid,
    timeline,
    sequence,
    event: timeline.events[sequence - 1],
    ledger: timeline.at(sequence),
    before: timeline.at(sequence - 1),
    isNow: at === undefined,
  }
}

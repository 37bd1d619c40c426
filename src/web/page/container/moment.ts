/** What the page of a container shows: the whole life, and the moment of it that is looked at. */
import type {ContainerAddress} from '../../../../machines/ledger/ids.ts'
import type {LedgerEvent} from '../../../../machines/ledger/events.ts'
import type {Ledger} from '../../../../machines/ledger/ledger.ts'
import type {Timeline} from '../model/timeline.ts'

export interface Moment {
  readonly address: ContainerAddress
  readonly uid: string
  readonly timeline: Timeline
  /** The event after which it is shown. */
  readonly sequence: number
  /** Undefined before the first. */
  readonly event: LedgerEvent | undefined
  readonly ledger: Ledger
  readonly before: Ledger
  /** As it is now; otherwise a moment of the past, where nothing can be asked for. */
  readonly isNow: boolean
}

/** @param at as it is now when undefined */
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

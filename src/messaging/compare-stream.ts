/** What the stream has of a container, compared with its journal: how far they agree, and which messages should not be there. */
import {isDeepStrictEqual} from 'node:util'
import {toCloudEvent} from '../../machines/ledger/cloud-event.ts'
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import type {StreamedEvent} from './stream.ts'

/** An event's sequence, and its place in the stream; both are 0 when there is none. */
export interface Place {
  readonly sequence: number
  readonly streamSequence: number
}

export const nowhere: Place = {sequence: 0, streamSequence: 0}

export interface Comparison {
  /** The first that the stream has. */
  readonly first: Place
  /** Up to here the stream has what the journal has, each once and in order. */
  readonly kept: Place
  /** Whatever comes after that: doubled, out of order, behind a gap, or not what the journal says. */
  readonly wrong: readonly StreamedEvent[]
}

export interface ComparisonOptions {
  /** Other containers may have had its address before. */
  readonly uid: string
  /** The stream drops what is old: then a missing beginning is no gap. */
  readonly isLimited: boolean
}

/**
 * @param streamed what the stream has under the container's subjects, in its order
 * @param read all events of the container behind a sequence
 */
export async function compareWithJournal(
  streamed: AsyncIterable<StreamedEvent>,
  read: (after: number) => Iterable<LedgerEvent>,
  {uid, isLimited}: ComparisonOptions,
): Promise<Comparison> {
  let expected: Iterator<LedgerEvent> | undefined
  let [first, kept] = [nowhere, nowhere]
  const wrong: StreamedEvent[] = []
  for await (const found of streamed) {
    const {event, streamSequence} = found
    if (event.uid !== uid) continue
    expected ??= read(isLimited ? event.sequence - 1 : 0)[Symbol.iterator]()
    if (wrong.length === 0 && isSameEvent(event, expected.next().value)) {
      kept = {sequence: event.sequence, streamSequence}
      if (first === nowhere) first = kept
    } else wrong.push(found)
  }
  return {first, kept, wrong}
}

/** As they are published: to the last field. */
export function isSameEvent(one: LedgerEvent, other: LedgerEvent | undefined): boolean {
  return other !== undefined && isDeepStrictEqual(toCloudEvent(one), toCloudEvent(other))
}

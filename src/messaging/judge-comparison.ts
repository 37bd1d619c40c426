/** What follows from a comparison of the stream with the journal: which events are published again, and which are removed first. Pure. */
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import {type Comparison, nowhere} from './compare-stream.ts'
import type {Extent} from './outbox-state.ts'
import type {StreamedEvent, StreamState} from './stream.ts'

/** What the stream had lost of a container, or had wrong. */
export interface Rebuilding {
  /** Sequence of the first event that is published again. */
  readonly from: number
  /** How many events that the stream had confirmed it lacks now. */
  readonly missing: number
  /** How many were removed from it, to be published in their places. */
  readonly removed: number
}

/** What the outbox needs of a journal. */
export interface EventSource {
  latestSequence(): number
  read(after?: number): Iterable<LedgerEvent>
}

export interface Judgement {
  /** What is published next comes after it. */
  readonly extent: Extent
  /** To be removed from the stream. */
  readonly wrong: readonly StreamedEvent[]
  /** Undefined when the stream has all that it confirmed and was to keep. */
  readonly rebuilding: Rebuilding | undefined
}

export interface JudgedStream {
  /** What the stream had confirmed before. */
  readonly confirmed: Extent
  readonly state: Pick<StreamState, 'isLimited' | 'lastSequence' | 'droppedBeforeMs'>
  readonly source: EventSource
}

export function judgeComparison(comparison: Comparison, stream: JudgedStream): Judgement {
  const {wrong, kept} = comparison
  const {latest} = stream.confirmed
  const standing = toStanding(comparison, stream)
  const misplaced = new Set(
    wrong.map(({event}) => event.sequence).filter((sequence) => sequence > kept.sequence && sequence <= latest.sequence),
  )
  const missing = standing.type === 'dropped' ? 0 : Math.max(0, latest.sequence - kept.sequence - misplaced.size)
  const isRight = missing === 0 && wrong.length === 0
  return {extent: standing.extent, wrong, rebuilding: isRight ? undefined : {from: kept.sequence + 1, missing, removed: wrong.length}}
}

interface Standing {
  /**
   * `dropped`: all that was confirmed is older than a limited stream keeps; publishing it again would drop the events of others.
   * `unknown`: a limited stream has nothing, and this supervisor does not know how far its predecessor had published.
   */
  readonly type: 'kept' | 'dropped' | 'unknown'
  readonly extent: Extent
}

function toStanding({first, kept, wrong}: Comparison, {confirmed, state, source}: JudgedStream): Standing {
  if (!state.isLimited || kept !== nowhere) return {type: 'kept', extent: {first, latest: kept}}
  if (confirmed.latest.sequence > 0)
    return state.lastSequence >= confirmed.latest.streamSequence
      ? {type: 'dropped', extent: confirmed}
      : {type: 'kept', extent: {first, latest: kept}}
  if (wrong.length > 0) return {type: 'kept', extent: {first, latest: kept}}
  // What is older than the stream keeps is not published again.
  return {type: 'unknown', extent: {first: nowhere, latest: {sequence: findAged(source, state.droppedBeforeMs), streamSequence: 0}}}
}

/** Sequence of the last event that is older. Never the very last event: readers of the stream learn the container's state from it. */
function findAged(source: EventSource, beforeMs: number): number {
  let aged = 0
  for (const {sequence, time} of source.read()) {
    if (Date.parse(time) >= beforeMs || sequence >= source.latestSequence()) break
    aged = sequence
  }
  return aged
}

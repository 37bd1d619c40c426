/** The story of a container, from its events alone: what happened, what caused it, how long it took, and what is not known. */
import {toEventId} from '../ledger/cloud-event.ts'
import type {LedgerEvent} from '../ledger/events.ts'
import {foldEvents, type Ledger, LedgerError, toTopLevelState} from '../ledger/ledger.ts'
import type {TopLevelState} from '../charts/states.ts'
import {tell} from './tell.ts'

export interface Step {
  readonly sequence: number
  readonly time: string
  readonly type: LedgerEvent['type']
  readonly actor: string
  readonly text: string
  /** Milliseconds since the first known event. */
  readonly atMs: number
  readonly cause?: {
    readonly sequence: number
    /** `recorded` in the ledger; or `inferred`, such as the signal that was sent before the process was killed by it. */
    readonly certainty: 'recorded' | 'inferred'
    /** The time from the cause to this event. */
    readonly tookMs: number
  }
  /** The number of causes from here back to a request or to an event without a cause. */
  readonly depth: number
  readonly lost?: string
}

export interface Story {
  readonly source: string
  readonly uid: string
  /** Undefined when events are missing: the state cannot be computed then. */
  readonly state: TopLevelState | undefined
  /** The time of the first known event, when earlier events are missing; absent when the first event is known. */
  readonly knownSince?: string
  readonly steps: readonly Step[]
  /** Lost information, with the event that reports it. Without `sequence`, events of the ledger itself are missing. */
  readonly losses: readonly {readonly sequence?: number; readonly text: string}[]
  /** The total running time over all starts, up to `now` if it still runs; undefined when it was never started. */
  readonly ranMs: number | undefined
}

/**
 * @param events of one container; duplicates are dropped, the order is restored, gaps are reported
 * @param now epoch milliseconds
 */
export function toStory(events: readonly LedgerEvent[], now: number): Story | undefined {
  const ordered = toLedgerOrder(events)
  const [first] = ordered
  if (!first) return undefined
  const {ledger, broken} = foldIfWhole(ordered)
  const steps = toSteps(ordered, Date.parse(first.time))
  const gaps = [...findGaps(ordered), ...(broken === undefined ? [] : [broken])]
  return {
    source: first.source,
    uid: first.uid,
    state: ledger && toTopLevelState(ledger),
    ...(first.sequence > 1 && {knownSince: first.time}),
    steps,
    losses: [...gaps.map((text) => ({text})), ...steps.flatMap(({sequence, lost}) => (lost === undefined ? [] : [{sequence, text: lost}]))],
    ranMs: toRunningTime(ordered, now),
  }
}

function toLedgerOrder(events: readonly LedgerEvent[]): readonly LedgerEvent[] {
  const bySequence = new Map(events.map((event) => [event.sequence, event]))
  return [...bySequence.values()].sort((a, b) => a.sequence - b.sequence)
}

function toSteps(events: readonly LedgerEvent[], beginMs: number): readonly Step[] {
  const known = new Map<string, {readonly event: LedgerEvent; readonly depth: number}>()
  return events.map((event, index) => {
    const cause = findCause(event, known.get(event.causationId ?? '')?.event, events.slice(Math.max(0, index - nearby), index))
    const depth = cause ? (known.get(toEventId(cause.event))?.depth ?? 0) + 1 : 0
    known.set(toEventId(event), {event, depth})
    const {text, lost} = tell(event)
    return {
      sequence: event.sequence,
      time: event.time,
      type: event.type,
      actor: event.actor,
      text,
      atMs: Date.parse(event.time) - beginMs,
      ...(cause && {
        cause: {
          sequence: cause.event.sequence,
          certainty: cause.certainty,
          tookMs: Date.parse(event.time) - Date.parse(cause.event.time),
        },
      }),
      depth,
      ...(lost !== undefined && {lost}),
    }
  })
}

/** How many events before an exit are searched for its cause. */
const nearby = 100

interface Cause {
  readonly event: LedgerEvent
  readonly certainty: 'recorded' | 'inferred'
}

function findCause(event: LedgerEvent, recorded: LedgerEvent | undefined, before: readonly LedgerEvent[]): Cause | undefined {
  if (recorded) return {event: recorded, certainty: 'recorded'}
  const inferred = before.findLast((other) => isReason(other, event))
  return inferred && {event: inferred, certainty: 'inferred'}
}

/** An observed exit has no recorded cause: the last event that can have caused it is taken for the cause. */
function isReason(earlier: LedgerEvent, event: LedgerEvent): boolean {
  if (event.type === 'container.exited') {
    if (event.data.oomKilled) return earlier.type === 'container.oom'
    if (event.data.exit.type !== 'signal') return false
    if (earlier.type === 'container.checkpointed') return !earlier.data.leaveRunning && event.data.exit.signal === 'SIGKILL'
    return earlier.type === 'container.signalled' && earlier.data.signal === event.data.exit.signal
  }
  if (event.type !== 'exec.exited' || event.data.exit.type !== 'signal') return false
  return earlier.type === 'exec.signalled' && earlier.data.exec === event.data.exec && earlier.data.signal === event.data.exit.signal
}

function foldIfWhole(events: readonly LedgerEvent[]): {readonly ledger?: Ledger; readonly broken?: string} {
  if (findGaps(events).length > 0) return {}
  try {
    return {ledger: foldEvents(events)}
  } catch (error) {
    if (error instanceof LedgerError) return {broken: `the ledger is inconsistent at event ${error.event.sequence}: ${error.message}`}
    throw error
  }
}

function findGaps(events: readonly LedgerEvent[]): readonly string[] {
  return events.flatMap(({sequence}, index) => {
    const expected = (events[index - 1]?.sequence ?? 0) + 1
    if (sequence === expected) return []
    return [`${sequence === expected + 1 ? `event ${expected} is` : `events ${expected} to ${sequence - 1} are`} not in the stream`]
  })
}

/** A container that was restarted ran several times. */
function toRunningTime(events: readonly LedgerEvent[], now: number): number | undefined {
  const starts = events.filter(({type}) => type === 'container.started')
  if (starts.length === 0) return undefined
  const exits = events.filter((event) => event.type === 'container.exited')
  const spans = starts.map(({sequence, time}) => {
    const exited = exits.find((event) => event.sequence > sequence)
    return Math.max(0, (exited ? Date.parse(exited.data.exitedAt) : now) - Date.parse(time))
  })
  return spans.reduce((sum, span) => sum + span, 0)
}

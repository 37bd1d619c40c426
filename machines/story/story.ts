/** What happened to a container, from its events alone: in which order, because of what, for how long, and what is not known. */
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
  /** Milliseconds since the first event that is known. */
  readonly atMs: number
  readonly cause?: {
    readonly sequence: number
    /** The ledger says so, or it is what must have been: the signal before the end by a signal. */
    readonly certainty: 'recorded' | 'inferred'
    /** How long it took from there. */
    readonly tookMs: number
  }
  /** How many steps lead to it from a request, or from what came by itself. */
  readonly depth: number
  readonly lost?: string
}

export interface Story {
  readonly source: string
  readonly uid: string
  /** Undefined when the ledger is not whole: what the container is cannot be said then. */
  readonly state: TopLevelState | undefined
  /** Its beginning is not known: time of the first event that is. Absent when all is. */
  readonly knownSince?: string
  readonly steps: readonly Step[]
  /** What was lost, with the events that tell of it; of the ledger itself with none. */
  readonly losses: readonly {readonly sequence?: number; readonly text: string}[]
  /** From its start to its end, or to `now`, all times that it was started together; undefined when it never ran. */
  readonly ranMs: number | undefined
}

/**
 * @param events of one container; doubled or out of order is taken as it should be, gaps are told
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

/** So far back what brought an end about is looked for. */
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

/** An end is observed, and nobody says why; the last that can have brought it about did, as far as one can know. */
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
    if (error instanceof LedgerError) return {broken: `the ledger makes no sense at event ${error.event.sequence}: ${error.message}`}
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

/** Of all its lives together, when it was started again. */
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

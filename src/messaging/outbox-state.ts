/** What the outbox of a container knows of the stream, and what it does next. Pure: time and chance are given with each event. */
import {assertNever} from '../kernel/errors.ts'
import {nowhere, type Place} from './compare-stream.ts'

/** Where the stream has the container's events, as far as it has confirmed them. */
export interface Extent {
  readonly first: Place
  readonly latest: Place
}

export interface OutboxState {
  readonly connection: 'lost' | 'open'
  /** What was confirmed last, be it relied on or not. */
  readonly extent: Extent
  readonly trust: Trust
  /** A nats-server that is killed may bring back messages that were removed before (2.9). */
  readonly removals: 'none' | 'made'
}

/** Whether the extent is relied on. */
export type Trust =
  /** Until then; then the stream is asked for its first and its latest event. */
  | {readonly type: 'trusted'; readonly checkAtMs: number}
  /** The whole stream has to be compared with the journal. */
  | {readonly type: 'doubted'}
  /** The comparison is under way. A doubt that arises meanwhile makes another one necessary. */
  | {readonly type: 'comparing'; readonly checkAtMs: number}

export type OutboxEvent =
  | {readonly type: 'connected' | 'disconnected'}
  /** Somebody made, deleted, restored or changed the stream. */
  | {readonly type: 'stream-changed'}
  /** An operation failed, a comparison was requested, or an event is not where it was: anything may be missing. */
  | {readonly type: 'doubted'}
  | {readonly type: 'check-begun' | 'comparison-begun'}
  | {readonly type: 'removed'}
  | {readonly type: 'compared'; readonly extent: Extent}
  | {readonly type: 'published'; readonly place: Place}

export type Activity =
  | {readonly type: 'disconnected'}
  /** All that the stream has of the container, with the journal. */
  | {readonly type: 'comparing'}
  /** Whether the first and the latest event are where they were. */
  | {readonly type: 'checking'}
  /** What the journal has after this sequence. */
  | {readonly type: 'publishing'; readonly after: number}
  | {readonly type: 'idle'; readonly untilMs: number}

/** When something happens. */
export interface Moment {
  /** Milliseconds since the boot of the host. */
  readonly nowMs: number
  /** From 0 to 1: spreads what thousands of supervisors would do at the same moment. */
  readonly chance: number
  /** The usual time between two checks. */
  readonly lookMs: number
}

/** After a publication: a stream that was purged meanwhile has the new event, and lacks those before it. */
const soonMs = 3_000
/** Every supervisor learns at the same moment that the stream was deleted. */
const longestHasteMs = 500

const emptyExtent: Extent = {first: nowhere, latest: nowhere}

/** @param fresh nothing of this container can be in the stream yet: it need not be compared */
export function toInitialState(fresh: boolean, {nowMs, lookMs}: Pick<Moment, 'nowMs' | 'lookMs'>): OutboxState {
  const trust: Trust = fresh ? {type: 'trusted', checkAtMs: nowMs + lookMs} : {type: 'doubted'}
  return {connection: 'lost', extent: emptyExtent, trust, removals: 'none'}
}

export function decideActivity({connection, extent, trust}: OutboxState, journalSequence: number, nowMs: number): Activity {
  if (connection === 'lost') return {type: 'disconnected'}
  if (trust.type !== 'trusted') return {type: 'comparing'}
  if (nowMs >= trust.checkAtMs) return {type: 'checking'}
  if (journalSequence > extent.latest.sequence) return {type: 'publishing', after: extent.latest.sequence}
  return {type: 'idle', untilMs: trust.checkAtMs}
}

export function applyToOutbox(state: OutboxState, event: OutboxEvent, moment: Moment): OutboxState {
  const {trust} = state
  const {nowMs, chance} = moment
  switch (event.type) {
    case 'connected':
      return {...state, connection: 'open', trust: toTrustAfterReturn(state, nowMs)}
    case 'disconnected':
      return {...state, connection: 'lost', trust: trust.type === 'comparing' ? {type: 'doubted'} : trust}
    case 'stream-changed':
      return {...state, trust: checkBy(trust, nowMs + chance * longestHasteMs)}
    case 'doubted':
      return {...state, trust: {type: 'doubted'}}
    // The next check is set at once, so that a change of the stream during this one brings it forward.
    case 'check-begun':
      return trust.type === 'trusted' ? {...state, trust: {type: 'trusted', checkAtMs: toUsualCheck(moment)}} : state
    case 'comparison-begun':
      return {...state, trust: {type: 'comparing', checkAtMs: toUsualCheck(moment)}}
    case 'removed':
      return {...state, removals: 'made'}
    case 'compared':
      return {...state, extent: event.extent, trust: trust.type === 'comparing' ? {...trust, type: 'trusted'} : trust}
    case 'published':
      return trust.type === 'trusted' ? applyPublished(state, event.place, checkBy(trust, nowMs + soonMs * (0.5 + chance))) : state
    default:
      return assertNever(event)
  }
}

function applyPublished(state: OutboxState, place: Place, trust: Trust): OutboxState {
  const {first, latest} = state.extent
  // In another stream: what is missing has to be published before it.
  if (place.streamSequence <= latest.streamSequence) return {...state, trust: {type: 'doubted'}}
  return {...state, extent: {first: first === nowhere ? place : first, latest: place}, trust}
}

/** Anything may have been done to the stream while there was no connection. */
function toTrustAfterReturn({extent, trust, removals}: OutboxState, nowMs: number): Trust {
  if (removals === 'made') return {type: 'doubted'}
  return extent.latest.sequence > 0 ? checkBy(trust, nowMs) : trust
}

function checkBy(trust: Trust, atMs: number): Trust {
  return trust.type === 'doubted' ? trust : {...trust, checkAtMs: Math.min(trust.checkAtMs, atMs)}
}

function toUsualCheck({nowMs, chance, lookMs}: Moment): number {
  return nowMs + lookMs * (0.5 + chance)
}

/**
 * Where the coordinator stands between the clients and the supervisor of one container: pure. It receives requests only while it has
 * subscribed for the container, which it does for one whose supervisor sleeps, is about to, or has just woken.
 *
 *   released ─ take ─► taking over ─ confirmed ─► standing in ─ request ─► waking ─ awake ─► handing on ─ drained ─► released
 *
 * MUST hold: a request is sent on at most once, and never after its sender was told that it failed; achieved by taking it out of what is
 * held in the same step.
 */
import type {KeptRequest} from '../../messaging/kept-request.ts'

export type Standing =
  /** No subscription, or only the rest of one. */
  | {readonly type: 'released'}
  /** It has subscribed, and the supervisor does not know that yet: it still listens, and gets what comes here. */
  | {readonly type: 'taking over'}
  /** Nobody else listens. Nothing waits. */
  | {readonly type: 'standing in'}
  /** Requests wait for the supervisor, which has been woken. */
  | {readonly type: 'waking'; readonly held: readonly HeldRequest[]}
  /** The supervisor listens again. What the server still sends here is sent on. */
  | {readonly type: 'handing on'}

export interface HeldRequest {
  readonly request: KeptRequest
  /** Milliseconds on the clock that nobody sets: then it is refused. */
  readonly untilMs: number
}

export type Observation =
  | {readonly type: 'take'}
  | {readonly type: 'confirmed'}
  | {readonly type: 'request'; readonly held: HeldRequest}
  | {readonly type: 'awake'}
  | {readonly type: 'time'; readonly nowMs: number}
  /** It cannot be woken, or does not exist. */
  | {readonly type: 'failed'}
  | {readonly type: 'drained'}

export type Effect =
  | {readonly type: 'wake'}
  /** In this order. */
  | {readonly type: 'send on'; readonly requests: readonly KeptRequest[]}
  | {readonly type: 'refuse'; readonly requests: readonly KeptRequest[]}
  | {readonly type: 'unsubscribe'}

export interface Step {
  readonly standing: Standing
  readonly effects: readonly Effect[]
}

export const released: Standing = {type: 'released'}

export function observe(standing: Standing, observation: Observation): Step {
  switch (observation.type) {
    case 'take':
      return isListenedFor(standing) ? stay(standing) : {standing: {type: 'taking over'}, effects: []}
    case 'confirmed':
      return standing.type === 'taking over' ? {standing: {type: 'standing in'}, effects: []} : stay(standing)
    case 'request':
      return takeRequest(standing, observation.held)
    case 'awake':
      return isListenedFor(standing) || standing.type === 'taking over' ? handOn(standing) : stay(standing)
    case 'time':
      return standing.type === 'waking' ? refuseLate(standing.held, observation.nowMs) : stay(standing)
    case 'failed':
      return standing.type === 'waking' ? {standing: {type: 'standing in'}, effects: refuse(standing.held)} : stay(standing)
    case 'drained':
      return standing.type === 'handing on' ? {standing: released, effects: []} : stay(standing)
  }
}

/** Whether the coordinator alone receives the requests. */
export function isListenedFor(standing: Standing): standing is Extract<Standing, {type: 'standing in' | 'waking'}> {
  return standing.type === 'standing in' || standing.type === 'waking'
}

export function toHeld(standing: Standing): readonly KeptRequest[] {
  return standing.type === 'waking' ? standing.held.map(({request}) => request) : []
}

function takeRequest(standing: Standing, held: HeldRequest): Step {
  switch (standing.type) {
    case 'standing in':
      return {standing: {type: 'waking', held: [held]}, effects: [{type: 'wake'}]}
    case 'waking':
      return {standing: {type: 'waking', held: [...standing.held, held]}, effects: []}
    default:
      return {standing, effects: [{type: 'send on', requests: [held.request]}]}
  }
}

function handOn(standing: Standing): Step {
  const requests = toHeld(standing)
  const effects: readonly Effect[] = requests.length > 0 ? [{type: 'send on', requests}] : []
  return {standing: {type: 'handing on'}, effects: [...effects, {type: 'unsubscribe'}]}
}

function refuseLate(held: readonly HeldRequest[], nowMs: number): Step {
  const left = held.filter(({untilMs}) => untilMs > nowMs)
  const late = held.filter(({untilMs}) => untilMs <= nowMs)
  return {standing: left.length > 0 ? {type: 'waking', held: left} : {type: 'standing in'}, effects: refuse(late)}
}

function refuse(held: readonly HeldRequest[]): readonly Effect[] {
  return held.length > 0 ? [{type: 'refuse', requests: held.map(({request}) => request)}] : []
}

function stay(standing: Standing): Step {
  return {standing, effects: []}
}

/**
 * Where a request stands, and the transitions between those states: pure.
 *
 *     queued ─► accepted ─► settled
 *        └────► joined
 */

/** Each waiter is owed an answer: the first sender, and the retries that came meanwhile. */
export type RequestState<Waiter, Settlement> =
  | Queued<Waiter>
  | Joined<Waiter>
  | Accepted<Waiter>
  | {readonly type: 'settled'; readonly intent: Intent; readonly settlement: Settlement}

/** It cannot be decided yet. */
export interface Queued<Waiter> {
  readonly type: 'queued'
  readonly waiters: readonly Waiter[]
}

/** What it asks for is under way for another request, or happens by itself: it waits for the outcome, and is no event of its own. */
export interface Joined<Waiter> {
  readonly type: 'joined'
  readonly waiters: readonly Waiter[]
}

/** It is in the journal. It has no waiters when a former process accepted it, and when the waiters were told that the outcome is delayed. */
export interface Accepted<Waiter> {
  readonly type: 'accepted'
  readonly intent: Intent
  readonly waiters: readonly Waiter[]
}

/** The event that a request was accepted as. */
export interface Intent {
  readonly eventId: string
  readonly sequence: number
  readonly atMs: number
}

export function queue<Waiter>(waiter: Waiter): Queued<Waiter> {
  return {type: 'queued', waiters: [waiter]}
}

/** One more waits for the answer. */
export function addWaiter<Waiter, State extends Queued<Waiter> | Joined<Waiter> | Accepted<Waiter>>(state: State, waiter: Waiter): State {
  return {...state, waiters: [...state.waiters, waiter]}
}

export function join<Waiter>({waiters}: Queued<Waiter>): Joined<Waiter> {
  return {type: 'joined', waiters}
}

export function accept<Waiter>({waiters}: Queued<Waiter>, intent: Intent): Accepted<Waiter> {
  return {type: 'accepted', intent, waiters}
}

/** Accepted by a former process, whose waiters are gone. */
export function recall<Waiter>(intent: Intent): Accepted<Waiter> {
  return {type: 'accepted', intent, waiters: []}
}

export function settle<Settlement>({intent}: Accepted<unknown>, settlement: Settlement): RequestState<never, Settlement> {
  return {type: 'settled', intent, settlement}
}

/** The waiters have been answered without an outcome; a retry can wait for it again. */
export function dismissWaiters<Waiter>({intent}: Accepted<Waiter>): Accepted<Waiter> {
  return recall(intent)
}

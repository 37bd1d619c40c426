/**
 * The requests of one owner, and where each stands: a retry finds its request here by its idempotency key, and joins it or gets what it was
 * settled with. No clock and no I/O: times are those of the intents.
 */
import {formatKey, type IdempotencyKey} from './idempotency-key.ts'
import {
  type Accepted,
  type Intent,
  type Joined,
  type RequestState,
  accept,
  addWaiter,
  dismissWaiters,
  join,
  queue,
  recall,
  settle,
} from './request-state.ts'

export type Ticket = number

export interface RegisteredRequest<Question, State> {
  readonly ticket: Ticket
  readonly question: Question
  readonly state: State
}

export interface RequestRegister<Question, Waiter, Settlement> {
  /** @param key undefined for one that cannot be retried */
  queue(question: Question, key: IdempotencyKey | undefined, waiter: Waiter): Ticket
  /** One with waiters, if there is any; else the first that was accepted under that key. */
  find(key: IdempotencyKey): RegisteredRequest<Question, RequestState<Waiter, Settlement>> | undefined
  /** A retry waits with those who wait already. Nothing for one that is settled. */
  addWaiter(ticket: Ticket, waiter: Waiter): void
  /** What a queued request asks for is under way already. */
  join(ticket: Ticket): void
  /** A queued request is in the journal. */
  accept(ticket: Ticket, intent: Intent): void
  /** One that a former process has accepted. Of several with the same key the first is remembered. */
  recall(question: Question, key: IdempotencyKey, intent: Intent): void
  /** Those whose waiters wait for an outcome, in the order in which they began to. */
  readonly pending: readonly RegisteredRequest<Question, Joined<Waiter> | Accepted<Waiter>>[]
  /** @returns whom to answer */
  settle(ticket: Ticket, settlement: Settlement): readonly Waiter[]
  /** The outcome of an intent is delayed, and nobody is to wait for it. @returns whom to tell */
  dismissWaiters(eventId: string): readonly Waiter[]
  /** It was answered without being accepted, or nobody waits for it any more: nothing of it is remembered. @returns whom to answer */
  withdraw(ticket: Ticket): readonly Waiter[]
}

/** @param options `rememberMs`: for how long after its acceptance a request is found by its key */
export function createRequestRegister<Question, Waiter, Settlement>({
  rememberMs,
}: {
  readonly rememberMs: number
}): RequestRegister<Question, Waiter, Settlement> {
  type State = RequestState<Waiter, Settlement>
  type Registered = RegisteredRequest<Question, State> & {readonly key: string | undefined}
  let latest: Ticket = 0
  const requests = new Map<Ticket, Registered>()
  /** Those that have waiters: the others may be thousands. */
  const waitedFor = new Set<Ticket>()
  /** Accepted requests by key, in the order of their acceptance. */
  const remembered = new Map<string, Ticket>()

  return {
    queue: (question, key, waiter) => add(question, key && formatKey(key), queue(waiter)).ticket,
    find: (key) => {
      const wanted = formatKey(key)
      return listWaitedFor().find((request) => request.key === wanted) ?? requests.get(remembered.get(wanted) ?? 0)
    },
    addWaiter: (ticket, waiter) => {
      const request = requests.get(ticket)
      if (request && request.state.type !== 'settled') put({...request, state: addWaiter(request.state, waiter)})
    },
    join: (ticket) => {
      const request = requests.get(ticket)
      if (request?.state.type === 'queued') moveToEnd(put({...request, state: join(request.state)}))
    },
    accept: (ticket, intent) => {
      const request = requests.get(ticket)
      if (request?.state.type !== 'queued') return
      moveToEnd(put({...request, state: accept(request.state, intent)}))
      remember(request, intent)
    },
    recall: (question, key, intent) => {
      if (!remembered.has(formatKey(key))) remember(add(question, formatKey(key), recall(intent)), intent)
    },
    get pending() {
      return listWaitedFor().flatMap(toPending)
    },
    settle: (ticket, settlement) => {
      const request = requests.get(ticket)
      if (!request || request.state.type === 'settled') return []
      const {state} = request
      if (state.type === 'accepted' && isRemembered(request)) put({...request, state: settle(state, settlement)})
      else remove(ticket)
      return state.waiters
    },
    dismissWaiters: (eventId) =>
      listWaitedFor().flatMap((request) => {
        const {ticket, state} = request
        if (state.type !== 'accepted' || state.intent.eventId !== eventId) return []
        if (isRemembered(request)) put({...request, state: dismissWaiters(state)})
        else remove(ticket)
        return state.waiters
      }),
    withdraw: (ticket) => {
      const request = requests.get(ticket)
      remove(ticket)
      return request && request.state.type !== 'settled' ? request.state.waiters : []
    },
  }

  function add(question: Question, key: string | undefined, state: State): Registered {
    latest += 1
    return put({ticket: latest, question, key, state})
  }

  function put(request: Registered): Registered {
    const {ticket, state} = request
    requests.set(ticket, request)
    if (state.type !== 'settled' && state.waiters.length > 0) waitedFor.add(ticket)
    else waitedFor.delete(ticket)
    return request
  }

  function remove(ticket: Ticket): void {
    requests.delete(ticket)
    waitedFor.delete(ticket)
  }

  function moveToEnd({ticket}: Registered): void {
    waitedFor.delete(ticket)
    waitedFor.add(ticket)
  }

  function listWaitedFor(): readonly Registered[] {
    return [...waitedFor].flatMap((ticket) => requests.get(ticket) ?? [])
  }

  function remember({ticket, key}: Registered, {atMs}: Intent): void {
    forgetBefore(atMs - rememberMs)
    if (key !== undefined && !remembered.has(key)) remembered.set(key, ticket)
  }

  function isRemembered({ticket, key}: Registered): boolean {
    return key !== undefined && remembered.get(key) === ticket
  }

  function forgetBefore(ms: number): void {
    for (const [key, ticket] of remembered) {
      const request = requests.get(ticket)
      if (request && isAcceptedSince(request.state, ms)) return
      remembered.delete(key)
      if (!waitedFor.has(ticket)) remove(ticket)
    }
  }
}

function isAcceptedSince(state: RequestState<unknown, unknown>, ms: number): boolean {
  return (state.type === 'accepted' || state.type === 'settled') && state.intent.atMs >= ms
}

function toPending<Question, Waiter>({
  ticket,
  question,
  state,
}: RegisteredRequest<Question, RequestState<Waiter, unknown>>): readonly RegisteredRequest<Question, Joined<Waiter> | Accepted<Waiter>>[] {
  return state.type === 'joined' || state.type === 'accepted' ? [{ticket, question, state}] : []
}

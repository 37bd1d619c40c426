/** Whose request an event belongs to. */
import type {Draft} from '../../../machines/ledger/draft.ts'
import type {LedgerEvent} from '../../../machines/ledger/events.ts'
import {isAnswered} from '../../../machines/charts/end-request.ts'
import type {Ledger} from '../../../machines/ledger/ledger.ts'

/** Who asked, and what it followed from. */
export interface Origin {
  readonly actor: string
  readonly correlationId: string
  readonly causationId?: string
  /** The same command may have been sent before, under the same correlation id, without an answer. */
  readonly isRetry?: boolean
}

/** The supervisor acts in its own name, because of an event. */
export function toOrigin(cause: LedgerEvent): Origin {
  return {actor: 'supervisor', correlationId: cause.correlationId, causationId: toEventId(cause)}
}

export function toEventId({uid, sequence}: Pick<LedgerEvent, 'uid' | 'sequence'>): string {
  return `${uid}:${sequence}`
}

export type End = Extract<Draft, {readonly type: 'container.exited' | 'exec.exited'}>

export function isEnd(draft: Draft): draft is End {
  return draft.type === 'container.exited' || draft.type === 'exec.exited'
}

/** Of what the supervisor has observed: only an exit can belong to a request. */
export function toObservedOrigin(draft: Draft, ledger: Ledger, uid: string): Origin {
  return isEnd(draft) ? toEndOrigin(draft, ledger, uid) : toOwnOrigin(uid)
}

/** Of what belongs to no request. */
function toOwnOrigin(uid: string): Origin {
  return {actor: 'supervisor', correlationId: uid}
}

/** An exit belongs to the request that was to end the process; one that nobody requested belongs to the container itself. */
function toEndOrigin({type, data}: End, {snapshot, processes}: Ledger, uid: string): Origin {
  const {stop, endRequest} = snapshot.context
  const request = type === 'container.exited' ? endRequest : processes.get(data.exec)?.context.endRequest
  if (!request || !isAnswered(request, data.exit, {isStopping: type === 'container.exited' && stop !== undefined})) return toOwnOrigin(uid)
  return {actor: 'supervisor', correlationId: request.correlationId, causationId: request.eventId}
}

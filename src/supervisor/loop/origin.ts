/** To whose request an event belongs. */
import type {Draft} from '../../../machines/ledger/draft.ts'
import {isAnswered} from '../../../machines/charts/end-request.ts'
import type {LedgerEvent} from '../../../machines/ledger/events.ts'
import type {Ledger} from '../../../machines/ledger/ledger.ts'

/** Who asked, and what it followed from. */
export interface Origin {
  readonly actor: string
  readonly correlationId: string
  readonly causationId?: string
  /** It may have been asked before, in the same words, without an answer. */
  readonly isAgain?: boolean
}

/** The supervisor acts in its own name, on account of an event. */
export function toOrigin(cause: LedgerEvent): Origin {
  return {actor: 'supervisor', correlationId: cause.correlationId, causationId: `${cause.uid}:${cause.sequence}`}
}

/** Of what the supervisor has seen, rather than been asked for: it is the container's own, but for an exit that was asked for. */
export function toObservedOrigin(draft: Draft, ledger: Ledger, uid: string): Origin {
  return isEnd(draft) ? toEndOrigin(draft, ledger, uid) : toOwnOrigin(uid)
}

export type End = Extract<Draft, {readonly type: 'container.exited' | 'exec.exited'}>

export function isEnd(draft: Draft): draft is End {
  return draft.type === 'container.exited' || draft.type === 'exec.exited'
}

/** To nobody's request: the container's own. */
function toOwnOrigin(uid: string): Origin {
  return {actor: 'supervisor', correlationId: uid}
}

/** An exit belongs to the request that was to end the process; one that ends by itself to nobody's. */
function toEndOrigin({type, data}: End, {snapshot, processes}: Ledger, uid: string): Origin {
  const {stop, endRequest} = snapshot.context
  const request = type === 'container.exited' ? endRequest : processes.get(data.exec)?.context.endRequest
  if (!request || !isAnswered(request, data.exit, {isStopping: type === 'container.exited' && stop !== undefined})) return toOwnOrigin(uid)
  return {actor: 'supervisor', correlationId: request.correlationId, causationId: request.eventId}
}

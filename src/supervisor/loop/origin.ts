/** To whose request an event belongs that the supervisor has observed, rather than been asked for. */
import type {Draft} from '../../../machines/ledger/draft.ts'
import {isAnswered} from '../../../machines/charts/end-request.ts'
import type {Ledger} from '../../../machines/ledger/ledger.ts'
import type {Origin} from './loop.ts'

export type End = Extract<Draft, {readonly type: 'container.exited' | 'exec.exited'}>

export function isEnd(draft: Draft): draft is End {
  return draft.type === 'container.exited' || draft.type === 'exec.exited'
}

/** To nobody's: it is the container's own. */
export function toOwnOrigin(uid: string): Origin {
  return {actor: 'supervisor', correlationId: uid}
}

/** An exit belongs to the request that was to end the process; one that ends by itself to nobody's. */
export function toEndOrigin({type, data}: End, {snapshot, processes}: Ledger, uid: string): Origin {
  const {stop, endRequest} = snapshot.context
  const request = type === 'container.exited' ? endRequest : processes.get(data.exec)?.context.endRequest
  if (!request || !isAnswered(request, data.exit, {isStopping: type === 'container.exited' && stop !== undefined})) return toOwnOrigin(uid)
  return {actor: 'supervisor', correlationId: request.correlationId, causationId: request.eventId}
}

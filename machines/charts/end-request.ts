/** Which request the end of a process answers, if any: its exit then belongs to that request, and to no other. */
import type {LedgerEvent} from '../ledger/events.ts'
import type {ProcessExit} from '../ledger/process-exit.ts'
import type {SignalName} from '../schemas/signals.ts'

/** The last stop, forced delete or signal that was asked for. */
export interface EndRequest {
  readonly correlationId: string
  /** `<uid>:<sequence>` of the event. */
  readonly eventId: string
  /** What was to be sent; SIGKILL follows a stop and a delete. */
  readonly signal: SignalName
}

/** By convention a program ends when it gets one of them; others it may take for something else. */
const endingSignals: ReadonlySet<SignalName> = new Set(['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGKILL'])

/** @returns undefined for an event that asks for no signal */
export function toEndRequest(event: LedgerEvent): EndRequest | undefined {
  const {correlationId, uid, sequence} = event
  const of = (signal: SignalName): EndRequest => ({correlationId, eventId: `${uid}:${sequence}`, signal})
  switch (event.type) {
    case 'container.stop-requested':
    case 'container.kill-requested':
    case 'exec.kill-requested':
      return of(event.data.signal)
    case 'container.delete-requested':
      return event.data.force ? of('SIGKILL') : undefined
    default:
      return undefined
  }
}

/** Whether the process has ended because of the request, as far as its status tells. */
export function isAnswered(request: EndRequest, exit: ProcessExit, {isStopping = false}: {readonly isStopping?: boolean} = {}): boolean {
  return isStopping || endingSignals.has(request.signal) || (exit.type === 'signal' && exit.signal === request.signal)
}

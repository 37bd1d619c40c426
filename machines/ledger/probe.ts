import type {Draft} from './draft.ts'
import type {LedgerEvent} from './events.ts'

/** A draft as an event, to ask a chart whether it could follow: guards look at type and data alone, so the rest is blank. */
export function toProbe(draft: Draft): LedgerEvent {
  return {...draft, time: '', sequence: 0, uid: '', source: '', actor: '', correlationId: '', causationId: undefined}
}

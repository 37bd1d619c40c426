import type {Draft} from './draft.ts'
import type {LedgerEvent} from './events.ts'

/** A draft as an event with blank metadata, to ask a chart whether it could follow. Guards read only type and data. */
export function toProbe(draft: Draft): LedgerEvent {
  return {...draft, time: '', sequence: 0, uid: '', source: '', actor: '', correlationId: '', causationId: undefined}
}

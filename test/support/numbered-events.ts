/** Events for the stream's sake: valid each, in order, of no possible life. */
import type {Draft} from '../../machines/ledger/draft.ts'
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import {type ContainerAddress, toSource} from '../../machines/ledger/ids.ts'

export interface NumberedEventsOptions {
  readonly address: ContainerAddress
  readonly uid: string
  readonly count: number
  readonly first?: number
}

/** `count` events of a container, with the sequences from `first` on, alternately of two types. */
export function numberedEvents({address, uid, count, first = 1}: NumberedEventsOptions): readonly LedgerEvent[] {
  return Array.from({length: count}, (_, index) => {
    const sequence = first + index
    const what: Draft = sequence % 2 === 0 ? {type: 'container.started', data: {}} : {type: 'container.signalled', data: {signal: 'SIGHUP'}}
    return {
      ...what,
      time: new Date(Date.parse('2026-01-02T03:04:05.000Z') + sequence * 1000).toISOString(),
      sequence,
      uid,
      source: toSource(address),
      actor: 'test',
      correlationId: `c${sequence}`,
      causationId: undefined,
    }
  })
}

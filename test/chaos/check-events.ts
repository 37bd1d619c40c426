/** Compares the events of one container in the stream with the promises of docs/events.md. */
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import {foldEvents} from '../../machines/ledger/ledger.ts'

export interface EventFaults {
  readonly missing: readonly string[]
  readonly doubled: readonly string[]
  readonly outOfOrder: readonly string[]
}

/**
 * @param stream the events of one uid, in the order of the stream
 * @param journal the observed part of the journal; the stream may have more events
 */
export function checkEvents(stream: readonly LedgerEvent[], journal: readonly LedgerEvent[]): EventFaults {
  const sequences = stream.map(({sequence}) => sequence)
  const last = Math.max(0, ...sequences, ...journal.map(({sequence}) => sequence))
  const known = new Set(sequences)
  const missing = Array.from({length: last}, (_, index) => index + 1).filter((sequence) => !known.has(sequence))
  const doubled = sequences.filter((sequence, index) => sequences.indexOf(sequence) !== index)
  const descending = sequences.filter((sequence, index) => sequence < (sequences[index - 1] ?? 0))
  const others = journal.filter((event) => {
    const published = stream.find(({sequence}) => sequence === event.sequence)
    return published !== undefined && JSON.stringify(published) !== JSON.stringify(event)
  })
  return {
    missing: [
      ...missing.map((sequence) => `${sequence}`),
      ...others.map(({sequence}) => `${sequence}, replaced by another event`),
      ...(stream.at(-1)?.type === 'container.deleted' ? [] : ['container.deleted']),
      ...(hasInit(stream) && count(stream, 'container.exited') === 0 ? ['container.exited'] : []),
    ],
    doubled: [...doubled.map((sequence) => `${sequence}`), ...(count(stream, 'container.exited') > 1 ? ['container.exited'] : [])],
    outOfOrder: [...descending.map((sequence) => `${sequence}`), ...checkOrder(stream)],
  }
}

/** Events that the chart rejects, and orders that the chart allows but docs/events.md excludes. */
function checkOrder(stream: readonly LedgerEvent[]): readonly string[] {
  const at = (type: LedgerEvent['type']) => stream.findIndex((event) => event.type === type)
  const isBefore = (first: LedgerEvent['type'], second: LedgerEvent['type']) => at(second) < 0 || (at(first) >= 0 && at(first) < at(second))
  const faults = [
    ...(at('container.create-requested') === 0 ? [] : ['create-requested is not the first']),
    ...(isBefore('container.created', 'container.started') ? [] : ['started before created']),
    ...(at('container.started') < 0 || isBefore('container.started', 'container.exited') ? [] : ['exited before started']),
    ...stream
      .slice(at('container.exited') < 0 ? stream.length : at('container.exited'))
      .flatMap(({type}) => (type === 'exec.exited' ? [`${type} after container.exited`] : [])),
  ]
  try {
    foldEvents([...stream].sort((a, b) => a.sequence - b.sequence))
    return faults
  } catch (error) {
    return [...faults, error instanceof Error ? error.message : String(error)]
  }
}

function hasInit(stream: readonly LedgerEvent[]): boolean {
  return stream.some((event) => event.type === 'container.created' && event.data.init !== undefined)
}

function count(stream: readonly LedgerEvent[], type: LedgerEvent['type']): number {
  return stream.filter((event) => event.type === type).length
}

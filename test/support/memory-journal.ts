import type {LedgerEvent} from '../../machines/ledger/events.ts'
import type {Journal} from '../../src/journal/journal.ts'
import {TallyError} from '../../src/kernel/errors.ts'

export interface MemoryJournal extends Journal {
  readonly events: readonly LedgerEvent[]
  /** Sequence of the latest event at each sync. */
  readonly syncs: readonly number[]
  /** From now on appends fail as on a full disk, or work again. */
  setFull(full: boolean): void
  /** From now on a sync ends only after this. */
  holdSyncs(until: Promise<void>): void
}

/** A journal that lives as long as the test. */
export function createMemoryJournal(history: readonly LedgerEvent[] = []): MemoryJournal {
  const events = [...history]
  const syncs: number[] = []
  let isFull = false
  let held: Promise<void> = Promise.resolve()
  return {
    events,
    syncs,
    setFull: (full) => {
      isFull = full
    },
    holdSyncs: (until) => {
      held = until
    },
    append: (event) => {
      if (isFull) throw new TallyError('JOURNAL_WRITE_FAILED', 'cannot write the journal: no space left')
      events.push(event)
    },
    sync: async () => {
      syncs.push(events.length)
      await held
    },
    latestSequence: () => events.length,
    read: (after = 0) => events.slice(after),
    [Symbol.dispose]: () => {},
  }
}

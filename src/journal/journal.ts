/**
 * The ledger of one container on disk: append-only JSON Lines, a line being exactly the event that is published.
 * Invariant: one writer; achieved by flock(2) on the file itself, which the kernel releases when the writer dies.
 */
import type {LedgerEvent} from '../../machines/ledger/events.ts'

export interface Journal extends Disposable {
  /**
   * Adds an event. When this returns, the event survives the death of this process.
   * @throws TallyError JOURNAL_WRITE_FAILED: nothing of the event is in the file then
   */
  append(event: LedgerEvent): void
  /**
   * When this resolves, everything that was appended survives a crash of the host (fdatasync(2)).
   * @throws TallyError JOURNAL_WRITE_FAILED
   */
  sync(): Promise<void>
  /** Sequence of the latest event; 0 when there is none. */
  latestSequence(): number
  /** Events with a sequence above `after`, in order, read from disk as they are asked for. */
  read(after?: number): Iterable<LedgerEvent>
}

/** What was repaired when the journal was opened. */
export interface JournalRepair {
  /** Bytes of a torn last line, left by a crash in the middle of a write, that were cut off. */
  readonly tornBytes: number
}

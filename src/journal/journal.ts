/**
 * The ledger of one container on disk: append-only JSON Lines, a line being exactly the event that is published.
 * Invariant: one writer, achieved by flock(2) on the file itself, which the kernel gives back when the writer dies.
 */
import type {LedgerEvent} from '../../machines/ledger/events.ts'

export interface Journal extends Disposable {
  /**
   * Adds an event. When this returns, the event survives the death of this process.
   * @throws TallyError JOURNAL_WRITE_FAILED, and then nothing of the event is in the file.
   */
  append(event: LedgerEvent): void
  /**
   * Makes all that was appended survive the death of the host (fdatasync(2)).
   * @throws TallyError JOURNAL_WRITE_FAILED
   */
  sync(): Promise<void>
  /** Sequence of the latest event; 0 when there is none. */
  latestSequence(): number
  /** Events with a sequence above `after`, in order, read from disk as they are asked for. */
  read(after?: number): Iterable<LedgerEvent>
}

/** What opening found and mended. */
export interface JournalRepair {
  /** Bytes of a torn last line (a crash in the middle of a write) that were cut off. */
  readonly tornBytes: number
}

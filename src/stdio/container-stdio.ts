/**
 * The output of one container: FIFOs that outlive the supervisor, a log in CRI format, and a callback for what arrives.
 * Invariant: a byte is reported to `onOutput` only after it is in the log, and offsets have no gaps.
 */

import type {StreamName, OutputChunk} from './streams.ts'
import type {FifoOwner} from './fifo-owner.ts'
import type {LogRotation} from './log-writer.ts'

export interface ContainerStdioOptions {
  /** Holds the FIFOs `stdout` and `stderr`; made (0700) when missing. */
  readonly fifoDir: string
  /** The CRI log; created 0600, appended to when it exists. */
  readonly logFile: string
  readonly rotation?: LogRotation | undefined
  /** The user who may open the FIFOs again (`/dev/stderr`); root of the host when absent. */
  readonly owner?: FifoOwner | undefined
  readonly now: () => number
  readonly onOutput: (chunk: OutputChunk) => void
  /** Whether commands are under way: then less is read. */
  readonly isUrgent?: (() => boolean) | undefined
}

export interface ContainerStdio extends AsyncDisposable {
  /** For the runtime: /dev/null, and the FIFOs opened read-write (so that without a reader there is no EPIPE). */
  readonly childFds: readonly [stdin: number, stdout: number, stderr: number]
  /** Closes our copies of `childFds` once the container has inherited them. Idempotent. */
  releaseChildFds(): void
  /**
   * Reads until the pipes are empty, and stops reading. Call it when every process of the container is gone. Resolves to the bytes of each
   * stream since create. Idempotent.
   */
  drain(): Promise<Readonly<Record<StreamName, number>>>
  /** Bytes logged so far. */
  readonly totals: Readonly<Record<StreamName, number>>
  /**
   * Goes on reading for as long as this process lives, and discards what it reads: a process that was left behind would block when the
   * pipe is full. Instead of disposing.
   */
  discard(): void
  /** Removes the FIFOs with their directory, and the spools, not the log. Idempotent. */
  remove(): Promise<void>
}

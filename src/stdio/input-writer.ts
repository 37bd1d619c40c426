/**
 * Writes input into a pipe or a terminal with write(2) itself. Each call is reported before and after, so that a supervisor that was killed
 * leaves a record of what was written. libuv is not used: it would block the whole process while a program does not read and its terminal
 * is full (libuv, src/unix/tty.c: a master cannot be reopened, so writes to it block).
 */
import {writeSync} from 'node:fs'

export interface InputWriter {
  /** In the order of the calls. Resolves when the kernel has taken all of it. @throws Error when it is closed before that, EPIPE */
  write(bytes: Uint8Array, account?: InputAccount): Promise<void>
  /** Resolves when all has been written, or has failed. */
  settled(): Promise<void>
}

/** Counts what the kernel takes. */
export interface InputAccount {
  /** Called before a write of at most so many bytes. */
  attempt(bytes: number): void
  /** Called after it: so many were written; 0 when there was no room. */
  taken(bytes: number): void
}

export interface InputWriterOptions {
  /** Non-blocking; the caller's to close. */
  readonly fd: number
  /** Called before each use of the descriptor. */
  readonly isOpen: () => boolean
  /** Resolves when there may be room. @param tries without success since the last write that had room */
  readonly untilRoom: (tries: number) => Promise<void>
}

const mostAtOnceBytes = 64 * 1024

export function createInputWriter({fd, isOpen, untilRoom}: InputWriterOptions): InputWriter {
  let last: Promise<void> = Promise.resolve()

  return {
    write: (bytes, account) => {
      const written = last.then(() => writeAll(bytes, account))
      last = written.catch(() => {})
      return written
    },
    settled: () => last,
  }

  async function writeAll(bytes: Uint8Array, account?: InputAccount): Promise<void> {
    for (let at = 0, tries = 0; at < bytes.length; ) {
      if (!isOpen()) throw new Error('closed')
      const piece = bytes.subarray(at, at + mostAtOnceBytes)
      account?.attempt(piece.length)
      const count = writeNow(piece, account)
      at += count
      tries = count > 0 ? 0 : tries + 1
      if (count === 0) await untilRoom(tries)
    }
  }

  function writeNow(piece: Uint8Array, account?: InputAccount): number {
    let count = 0
    try {
      count = writeSync(fd, piece)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error
    } finally {
      account?.taken(count)
    }
    return count
  }
}

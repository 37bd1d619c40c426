/**
 * Input on its way into a terminal, past libuv: that would wait, and all of this process with it, while the program does not read and
 * the terminal is full (libuv, src/unix/tty.c: a master cannot be reopened, so writes to it block).
 */
import {writeSync} from 'node:fs'
import {setTimeout as sleep} from 'node:timers/promises'
import {setNonBlocking} from '../linux/non-blocking.ts'

export interface TerminalInput {
  /** In the order of the calls. Resolves when the terminal has taken all of it. @throws Error when it is closed before that */
  write(bytes: Uint8Array): Promise<void>
}

const [shortestWaitMs, longestWaitMs] = [5, 100]

/** @param isOpen asked before each use of the descriptor, which is the caller's to close */
export function createTerminalInput(fd: number, isOpen: () => boolean): TerminalInput {
  let last: Promise<unknown> = Promise.resolve()
  setNonBlocking(fd)

  return {
    write: (bytes) => {
      const written = last.then(() => writeAll(bytes))
      last = written.catch(() => {})
      return written
    },
  }

  async function writeAll(bytes: Uint8Array): Promise<void> {
    let waitMs = shortestWaitMs
    for (let at = 0; at < bytes.length; ) {
      if (!isOpen()) throw new Error('closed')
      const count = writeNow(bytes.subarray(at))
      at += count
      if (count > 0) waitMs = shortestWaitMs
      else {
        // Nothing tells of room in a terminal but asking: the event loop has this descriptor for reading.
        await sleep(waitMs)
        waitMs = Math.min(longestWaitMs, 2 * waitMs)
      }
    }
  }

  function writeNow(bytes: Uint8Array): number {
    try {
      return writeSync(fd, bytes)
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return 0
      throw error
    }
  }
}

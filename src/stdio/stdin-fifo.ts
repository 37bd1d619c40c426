/**
 * The input of one process: a FIFO of which it has the reading end, and we the writing one. What is written waits in the pipe
 * (64 KiB) and, beyond that, with whoever writes: `write` resolves when the kernel has taken all of it.
 */
import {chownSync, closeSync, constants, openSync} from 'node:fs'
import {TallyError} from '../kernel/errors.ts'
import {makeFifo} from '../linux/fifo.ts'
import {hasRoom} from '../linux/pipe.ts'
import {watchPipe} from '../linux/pipe-watch.ts'
import type {FifoOwner} from './fifo-owner.ts'
import {createInputWriter, type InputAccount} from './input-writer.ts'

export interface StdinFifo extends Disposable {
  /** For the runtime: becomes the process's 0. Absent when the process has it already. */
  readonly childFd: number | undefined
  /** Closes our copy of `childFd` once the process has inherited it. Idempotent. */
  releaseChildFd(): void
  /** In the order of the calls. @throws TallyError STDIN_CLOSED when nobody reads it any more, or it was closed */
  write(bytes: Uint8Array, account?: InputAccount): Promise<void>
  /** The reader sees an end of file after what was written before, once nobody else holds the FIFO. Idempotent. */
  close(): Promise<void>
}

/** @throws SystemCallError, or that of open(2) */
export function createStdinFifo(path: string, owner?: FifoOwner): StdinFifo {
  makeFifo(path, 0o600)
  if (owner) chownSync(path, owner.uid, owner.gid)
  // Neither end can be opened before the other; read-write it can, and that one goes at once.
  const both = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  const childFd = openSync(path, constants.O_RDONLY)
  const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
  closeSync(both)
  return toStdin(fd, childFd)
}

/** That of a process which another supervisor has started; undefined when nobody reads it any more. */
export function reopenStdinFifo(path: string): StdinFifo | undefined {
  try {
    return toStdin(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK), undefined)
  } catch {
    // ENXIO: no reader; ENOENT: there never was one.
    return undefined
  }
}

function toStdin(fd: number, childFd: number | undefined): StdinFifo {
  let isOpen = true
  let isEnding = false
  let childFdOpen = childFd !== undefined
  let wake = () => {}
  const watch = watchPipe(fd, () => wake())
  const writer = createInputWriter({fd, isOpen: () => isOpen, untilRoom})

  return {
    childFd,
    releaseChildFd,
    write: async (bytes, account) => {
      if (isEnding || !isOpen) throw closed()
      await writer.write(bytes, account).catch((cause: unknown) => {
        throw closed(cause)
      })
    },
    close: async () => {
      isEnding = true
      await writer.settled()
      closeNow()
    },
    [Symbol.dispose]: () => {
      releaseChildFd()
      closeNow()
    },
  }

  async function untilRoom(): Promise<void> {
    const {promise, resolve} = Promise.withResolvers<void>()
    wake = resolve
    watch.arm()
    // What was read before that.
    if (!hasRoom(fd)) await promise
  }

  function closeNow(): void {
    if (!isOpen) return
    isOpen = false
    watch[Symbol.dispose]()
    closeSync(fd)
    wake()
  }

  function releaseChildFd(): void {
    if (childFdOpen && childFd !== undefined) closeSync(childFd)
    childFdOpen = false
  }
}

function closed(cause?: unknown): TallyError {
  return new TallyError('STDIN_CLOSED', 'the process reads no input any more', {cause})
}

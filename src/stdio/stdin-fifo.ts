/**
 * The input of one process: a FIFO that the process reads and this writes. What is written waits in the pipe (64 KiB) and, beyond that,
 * with its sender: `write` resolves when the kernel has taken all of it.
 */
import {chownSync, closeSync, constants, openSync} from 'node:fs'
import {TallyError} from '../kernel/errors.ts'
import {makeFifo} from '../linux/fifo.ts'
import {hasRoom} from '../linux/pipe.ts'
import {watchPipe} from '../linux/pipe-watch.ts'
import {createChildDescriptors} from './child-descriptors.ts'
import type {FifoOwner} from './fifo-owner.ts'
import {createInputWriter, type InputAccount} from './input-writer.ts'

export interface StdinFifo extends Disposable {
  /** In the order of the calls. @throws TallyError STDIN_CLOSED when nobody reads it any more, or it was closed */
  write(bytes: Uint8Array, account?: InputAccount): Promise<void>
  /** The reader sees an end of file after what was written before, once nobody else holds the FIFO. Idempotent. */
  close(): Promise<void>
}

/** That of a process which is to be started. */
export interface NewStdinFifo extends StdinFifo {
  /** For the runtime: becomes the process's 0. */
  readonly childFd: number
  /** Closes our copy of `childFd` once the process has inherited it. Idempotent. */
  releaseChildFd(): void
}

/** @throws SystemCallError, or that of open(2) */
export function createStdinFifo(path: string, owner?: FifoOwner): NewStdinFifo {
  makeFifo(path, 0o600)
  if (owner) chownSync(path, owner.uid, owner.gid)
  // Neither end can be opened before the other, except by a descriptor for both, which is closed at once.
  const both = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  const child = createChildDescriptors()
  const childFd = child.add(openSync(path, constants.O_RDONLY))
  const stdin = openWriter(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK))
  closeSync(both)
  return {
    ...stdin,
    childFd,
    releaseChildFd: child.release,
    [Symbol.dispose]: () => {
      child.release()
      stdin[Symbol.dispose]()
    },
  }
}

/** That of a process which another supervisor has started; undefined when nobody reads it any more. */
export function reopenStdinFifo(path: string): StdinFifo | undefined {
  try {
    return openWriter(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK))
  } catch {
    // ENXIO: no reader; ENOENT: the process has no input.
    return undefined
  }
}

/** `ending`: nothing more is accepted, and what was accepted before is still being written. */
type State = {readonly type: 'open' | 'ending' | 'closed'}

function openWriter(fd: number): StdinFifo {
  let state: State = {type: 'open'}
  let room = Promise.withResolvers<void>()
  const watch = watchPipe(fd, () => room.resolve())
  const writer = createInputWriter({fd, isOpen: () => state.type !== 'closed', untilRoom})

  return {
    write: async (bytes, account) => {
      if (state.type !== 'open') throw toClosedError()
      await writer.write(bytes, account).catch((cause: unknown) => {
        throw toClosedError(cause)
      })
    },
    close: async () => {
      if (state.type === 'open') state = {type: 'ending'}
      await writer.settled()
      close()
    },
    [Symbol.dispose]: close,
  }

  async function untilRoom(): Promise<void> {
    room = Promise.withResolvers()
    watch.arm()
    // It may have been read before the watch was armed.
    if (!hasRoom(fd)) await room.promise
  }

  function close(): void {
    if (state.type === 'closed') return
    state = {type: 'closed'}
    watch[Symbol.dispose]()
    closeSync(fd)
    room.resolve()
  }
}

function toClosedError(cause?: unknown): TallyError {
  return new TallyError('STDIN_CLOSED', 'the process reads no input any more', {cause})
}

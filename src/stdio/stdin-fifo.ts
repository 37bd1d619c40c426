/**
 * The input of one process: a FIFO of which it has the reading end, and we the writing one. What is written waits in the pipe
 * (64 KiB) and, beyond that, with whoever writes: `write` resolves when the kernel has taken all of it.
 */
import {closeSync, constants, openSync} from 'node:fs'
import {Socket} from 'node:net'
import {TallyError} from '../kernel/errors.ts'
import {makeFifo} from '../linux/fifo.ts'

export interface StdinFifo extends Disposable {
  /** For the runtime: becomes the process's 0. Absent when the process has it already. */
  readonly childFd: number | undefined
  /** Closes our copy of `childFd` once the process has inherited it. Idempotent. */
  releaseChildFd(): void
  /** In the order of the calls. @throws TallyError STDIN_CLOSED when nobody reads it any more, or it was closed */
  write(bytes: Uint8Array): Promise<void>
  /** The reader sees an end of file after what was written before. Idempotent. */
  close(): Promise<void>
}

/** @throws SystemCallError, or that of open(2) */
export function createStdinFifo(path: string): StdinFifo {
  makeFifo(path, 0o600)
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
  const socket = new Socket({fd, readable: false, writable: true})
  let childFdOpen = childFd !== undefined
  // EPIPE comes to `write` as well.
  socket.on('error', () => {})

  return {
    childFd,
    releaseChildFd,
    write: (bytes) =>
      new Promise((resolve, reject) => {
        if (!socket.writable) return reject(closed())
        socket.write(bytes, (error) => (error ? reject(closed(error)) : resolve()))
      }),
    close: () =>
      new Promise((resolve) => {
        if (socket.destroyed) return resolve()
        socket.once('close', () => resolve())
        socket.end(() => socket.destroy())
      }),
    [Symbol.dispose]: () => {
      releaseChildFd()
      socket.destroy()
    },
  }

  function releaseChildFd(): void {
    if (childFdOpen && childFd !== undefined) closeSync(childFd)
    childFdOpen = false
  }
}

function closed(cause?: unknown): TallyError {
  return new TallyError('STDIN_CLOSED', 'the process reads no input any more', {cause})
}

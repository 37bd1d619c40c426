import {readSync, writeSync} from 'node:fs'
import {lastErrno, libc, SystemCallError} from './libc.ts'

const SPLICE_F_MOVE = 1
const SPLICE_F_NONBLOCK = 2
const [EIO, EAGAIN, EINVAL] = [5, 11, 22]

/**
 * Moves what waits in a pipe into a file (splice(2)). If this process is killed while it does, each byte is either in the file or in the
 * pipe.
 * @param position in the file
 * @returns how much; 0 when the pipe is empty
 * @throws SystemCallError ENOSPC, and others of write(2)
 */
export function spliceToFile(pipe: number, file: number, position: number, limitBytes: number): number {
  const count = Number(libc.splice(pipe, null, file, [position], limitBytes, SPLICE_F_MOVE | SPLICE_F_NONBLOCK))
  if (count >= 0) return count
  const errno = lastErrno()
  if (errno === EAGAIN) return 0
  throw new SystemCallError('splice', errno)
}

/**
 * Moves what waits in a terminal's master into a pipe, as {@link spliceToFile} does. Where the kernel cannot (Linux 5.10 has no splice for
 * terminals), it is copied: then a kill in between loses it.
 * @param pipe must be empty
 * @returns how much; 0 when nothing waits, or the terminal has been hung up
 * @throws SystemCallError
 */
export function spliceToPipe(master: number, pipe: number, limitBytes: number): number {
  const count = Number(libc.splice(master, null, pipe, null, limitBytes, SPLICE_F_MOVE | SPLICE_F_NONBLOCK))
  if (count >= 0) return count
  const errno = lastErrno()
  if (errno === EINVAL) return copy(master, pipe, limitBytes)
  if (errno === EAGAIN || errno === EIO) return 0
  throw new SystemCallError('splice', errno)
}

function copy(master: number, pipe: number, limitBytes: number): number {
  try {
    const bytes = Buffer.allocUnsafe(limitBytes)
    return writeSync(pipe, bytes, 0, readSync(master, bytes))
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'EAGAIN' || error.code === 'EIO')) return 0
    throw error
  }
}

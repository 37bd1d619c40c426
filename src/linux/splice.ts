import {lastErrno, libc, SystemCallError} from './libc.ts'

const SPLICE_F_MOVE = 1
const SPLICE_F_NONBLOCK = 2
const EAGAIN = 11

/**
 * Moves what waits in a pipe into a file (splice(2)). Whoever is killed meanwhile: a byte has left the pipe if it is in the file, and
 * is in the pipe otherwise.
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

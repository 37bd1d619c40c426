import {lastErrno, libc, SystemCallError} from './libc.ts'

const LOCK_EX = 2
const LOCK_NB = 4
const EWOULDBLOCK = 11

/**
 * Takes the exclusive flock(2) of an open file. The kernel releases it when the last copy of the descriptor is closed, and so also when the
 * process dies.
 * @returns false when somebody else has it
 */
export function lockFile(fd: number): boolean {
  if (libc.flock(fd, LOCK_EX | LOCK_NB) === 0) return true
  const errno = lastErrno()
  if (errno === EWOULDBLOCK) return false
  throw new SystemCallError('flock', errno)
}

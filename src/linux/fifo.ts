import {lastErrno, libc, SystemCallError} from './libc.ts'

const EEXIST = 17

/**
 * Makes a FIFO; one that exists is left as it is, since a new supervisor wants what waits in it.
 * @returns whether it was made
 */
export function makeFifo(path: string, mode: number): boolean {
  if (libc.mkfifo(path, mode) === 0) return true
  const errno = lastErrno()
  if (errno !== EEXIST) throw new SystemCallError('mkfifo', errno)
  return false
}

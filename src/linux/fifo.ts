import {lstatSync, rmSync, statSync} from 'node:fs'
import {lastErrno, libc, SystemCallError} from './libc.ts'

const EEXIST = 17

/**
 * Makes a FIFO. One that exists is left as it is, since the next supervisor reads what waits in it.
 * @returns whether it was made
 */
export function makeFifo(path: string, mode: number): boolean {
  if (libc.mkfifo(path, mode) === 0) return true
  const errno = lastErrno()
  if (errno === EEXIST && leadsNowhere(path)) {
    rmSync(path)
    return makeFifo(path, mode)
  }
  if (errno !== EEXIST) throw new SystemCallError('mkfifo', errno)
  return false
}

/** It was put back as a link to a descriptor of a process that has ended. */
function leadsNowhere(path: string): boolean {
  const isLink = lstatSync(path, {throwIfNoEntry: false})?.isSymbolicLink() === true
  return isLink && statSync(path, {throwIfNoEntry: false}) === undefined
}

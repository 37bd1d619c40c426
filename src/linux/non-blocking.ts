import {constants} from 'node:fs'
import {check, libc} from './libc.ts'

/** fcntl(2) */
const F_SETFL = 4

/** Reads and writes fail with EAGAIN instead of waiting, in all processes that share this open file. @throws SystemCallError */
export function setNonBlocking(fd: number): void {
  check('fcntl', libc.fcntl(fd, F_SETFL, constants.O_NONBLOCK))
}

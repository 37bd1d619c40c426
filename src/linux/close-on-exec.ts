import {check, libc} from './libc.ts'

/** fcntl(2) */
const F_SETFD = 2
const FD_CLOEXEC = 1

/** Keeps a descriptor that was inherited from being inherited by children of this process. @throws SystemCallError */
export function setCloseOnExec(fd: number): void {
  check('fcntl', libc.fcntl(fd, F_SETFD, FD_CLOEXEC))
}

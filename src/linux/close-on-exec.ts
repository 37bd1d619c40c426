import {check, libc} from './libc.ts'

/** fcntl(2) */
const F_SETFD = 2
const FD_CLOEXEC = 1

/** A descriptor that was inherited goes to no child of ours. @throws SystemCallError */
export function setCloseOnExec(fd: number): void {
  check('fcntl', libc.fcntl(fd, F_SETFD, FD_CLOEXEC))
}

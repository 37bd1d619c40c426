import {check, libc} from './libc.ts'
import {POLLOUT, pollNow} from './poll.ts'

/** asm-generic/ioctls.h */
const FIONREAD = 0x541b

/** How much waits to be read in a pipe or FIFO. */
export function bytesInPipe(fd: number): number {
  const count = Buffer.alloc(4)
  check('FIONREAD', libc.ioctl(fd, FIONREAD, count))
  return count.readInt32LE()
}

/** Whether a write would take something, or tell at once that nobody reads any more. */
export function hasRoom(fd: number): boolean {
  return pollNow(fd, POLLOUT) !== 0
}

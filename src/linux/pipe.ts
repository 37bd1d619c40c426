import {check, libc} from './libc.ts'
import {POLLOUT, pollNow} from './poll.ts'

/** asm-generic/ioctls.h */
const FIONREAD = 0x541b

/** How many bytes wait in a pipe or FIFO. */
export function bytesInPipe(fd: number): number {
  const count = Buffer.alloc(4)
  check('FIONREAD', libc.ioctl(fd, FIONREAD, count))
  return count.readInt32LE()
}

/** Whether a write would take at least one byte, or fail at once because nobody has the pipe open for reading. */
export function hasRoom(fd: number): boolean {
  return pollNow(fd, POLLOUT) !== 0
}

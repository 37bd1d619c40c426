import {check, libc} from './libc.ts'

/** The numbers of all architectures but two (asm-generic/poll.h). */
export const POLLIN = 1
export const POLLOUT = 4
/** struct pollfd: int fd, short events, short revents. */
const pollfd = {bytes: 8, fd: 0, events: 4, returned: 6} as const

/** Which of the events hold now, and POLLERR or POLLHUP in any case (poll(2), without waiting). @throws SystemCallError */
export function pollNow(fd: number, events: number): number {
  const request = Buffer.alloc(pollfd.bytes)
  request.writeInt32LE(fd, pollfd.fd)
  request.writeInt16LE(events, pollfd.events)
  check('poll', libc.poll(request, 1, 0))
  return request.readInt16LE(pollfd.returned)
}

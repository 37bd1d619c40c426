/** The C library, through FFI: only what the library of Node.js lacks. The only file that loads it. */
import {constants} from 'node:os'
import koffi from 'koffi'

const library = koffi.load('libc.so.6')

/** sys/uio.h and sys/socket.h of a 64-bit system; koffi pads between the members as C does. */
koffi.struct('iovec', {base: 'void *', length: 'size_t'})
koffi.struct('msghdr', {
  name: 'void *',
  nameLength: 'uint32_t',
  pieces: 'iovec *',
  pieceCount: 'size_t',
  control: 'void *',
  controlLength: 'size_t',
  flags: 'int',
})

export const libc = {
  prctl: library.func('int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)'),
  fcntl: library.func('int fcntl(int fd, int command, int argument)'),
  flock: library.func('int flock(int fd, int operation)'),
  mkfifo: library.func('int mkfifo(const char *path, uint32_t mode)'),
  mount: library.func('int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)'),
  umount2: library.func('int umount2(const char *target, int flags)'),
  socket: library.func('int socket(int domain, int type, int protocol)'),
  bind: library.func('int bind(int fd, const uint8_t *address, uint32_t length)'),
  sendto: library.func(
    'long sendto(int fd, const uint8_t *message, size_t length, int flags, const uint8_t *address, uint32_t addressLength)',
  ),
  recvmsg: library.func('long recvmsg(int fd, _Inout_ msghdr *message, int flags)'),
  ioctl: library.func('int ioctl(int fd, unsigned long request, _Inout_ uint8_t *argument)'),
  poll: library.func('int poll(_Inout_ uint8_t *fds, unsigned long count, int timeoutMs)'),
  sched_setscheduler: library.func('int sched_setscheduler(int pid, int policy, const int32_t *priority)'),
  sched_setaffinity: library.func('int sched_setaffinity(int pid, size_t size, const uint8_t *processors)'),
  personality: library.func('int personality(unsigned long persona)'),
  prlimit: library.func('int prlimit(int pid, int resource, const uint64_t *wanted, _Out_ uint64_t *found)'),
  syscall: library.func('long syscall(long number, long a, long b, long c, long d)'),
  /** By number, because the library's own waitid has no resource usage. */
  waitid: library.func('long syscall(long number, int idtype, uint32_t id, _Out_ uint8_t *info, int options, _Out_ uint8_t *usage)'),
} as const

/** Some errors have two names, of which the first is the usual one. */
const errorNames = new Map(
  Object.entries(constants.errno)
    .map(([name, number]) => [number, name] as const)
    .toReversed(),
)

/** A system call that failed, with the name of its errno. */
export class SystemCallError extends Error {
  readonly code: string
  readonly syscall: string

  constructor(syscall: string, errno: number) {
    const code = errorNames.get(errno) ?? `errno ${errno}`
    super(`${syscall}: ${code}`)
    this.name = 'SystemCallError'
    this.code = code
    this.syscall = syscall
  }
}

/** errno of the latest call on this thread: read it before anything else runs. */
export function lastErrno(): number {
  return koffi.errno()
}

/** @throws SystemCallError when the result is negative */
export function check(syscall: string, result: number): number {
  if (result < 0) throw new SystemCallError(syscall, lastErrno())
  return result
}

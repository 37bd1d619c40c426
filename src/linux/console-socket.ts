/**
 * The socket on which an OCI runtime sends the master of the terminal that it has made (runc, docs/terminals.md: one message with
 * one descriptor in SCM_RIGHTS). The message is there when the runtime ends, so that nothing has to wait for it.
 */
import {closeSync, openSync, rmSync} from 'node:fs'
import {basename, dirname} from 'node:path'
import {check, lastErrno, libc, SystemCallError} from './libc.ts'

/** Disposing is idempotent. */
export interface ConsoleSocket extends Disposable {
  /** The path for the runtime: short enough for a socket address. */
  readonly path: string
  /**
   * The descriptor that was sent, with close-on-exec.
   * @returns undefined when nothing has been sent
   */
  receive(): number | undefined
}

const AF_UNIX = 1
const SOCK_STREAM = 1
const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2000000
const MSG_DONTWAIT = 0x40
const MSG_CMSG_CLOEXEC = 0x40000000
const SOL_SOCKET = 1
const SCM_RIGHTS = 1
const EAGAIN = 11
/** struct sockaddr_un: two bytes of family, then the path, of which the last is 0 (unix(7)). */
const longestPath = 107
/** struct cmsghdr of a 64-bit system: length, level, type, then the descriptor. */
const control = {bytes: 24, level: 8, type: 12, fd: 16} as const

/** Listens. The mode of the socket is that of the umask; its directory keeps others out. @throws SystemCallError */
export function openConsoleSocket(file: string): ConsoleSocket {
  rmSync(file, {force: true})
  // Through a descriptor of the directory where the path is too long for an address.
  const directory = Buffer.byteLength(file) > longestPath ? openSync(dirname(file), 'r') : undefined
  const path = directory === undefined ? file : `/proc/${process.pid}/fd/${directory}/${basename(file)}`
  const fd = check('socket', libc.socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0))
  const address = Buffer.alloc(2 + longestPath + 1)
  address.writeUInt16LE(AF_UNIX, 0)
  address.write(path, 2)
  check('bind', libc.bind(fd, address, address.length))
  check('listen', libc.listen(fd, 1))
  let disposed = false

  return {
    path,
    receive: () => {
      const connection = accept(fd)
      if (connection === undefined) return undefined
      try {
        return receiveDescriptor(connection)
      } finally {
        closeSync(connection)
      }
    },
    [Symbol.dispose]: () => {
      if (disposed) return
      disposed = true
      closeSync(fd)
      rmSync(file, {force: true})
      if (directory !== undefined) closeSync(directory)
    },
  }
}

function accept(fd: number): number | undefined {
  const connection = libc.accept4(fd, null, null, SOCK_CLOEXEC)
  return connection >= 0 ? connection : nothingYet('accept4')
}

function receiveDescriptor(connection: number): number | undefined {
  // The text of the message is the name of the terminal.
  const name = Buffer.alloc(256)
  const ancillary = Buffer.alloc(control.bytes)
  const message = {
    name: null,
    nameLength: 0,
    pieces: [{base: name, length: name.length}],
    pieceCount: 1,
    control: ancillary,
    controlLength: ancillary.length,
    flags: 0,
  }
  if (libc.recvmsg(connection, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0) return nothingYet('recvmsg')
  const isDescriptor = ancillary.readInt32LE(control.level) === SOL_SOCKET && ancillary.readInt32LE(control.type) === SCM_RIGHTS
  return isDescriptor ? ancillary.readInt32LE(control.fd) : undefined
}

function nothingYet(syscall: string): undefined {
  const errno = lastErrno()
  if (errno !== EAGAIN) throw new SystemCallError(syscall, errno)
  return undefined
}

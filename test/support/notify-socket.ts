/** The end of a service manager: a datagram socket, which Node.js does not have. */
import {closeSync, rmSync} from 'node:fs'
import koffi from 'koffi'
import {check, lastErrno, libc, SystemCallError} from '../../src/linux/libc.ts'

const library = koffi.load('libc.so.6')
const bind = library.func('int bind(int fd, const uint8_t *address, uint32_t length)')
const recv = library.func('long recv(int fd, _Out_ uint8_t *bytes, size_t length, int flags)')

export interface NotifySocket extends Disposable {
  /** The next message; undefined when none has come. */
  receive(): string | undefined
}

const AF_UNIX = 1
const SOCK_DGRAM_CLOEXEC = 0o2000002
const MSG_DONTWAIT = 0x40
const EAGAIN = 11

/** @param name a path or, beginning with `@`, an abstract name */
export function openNotifySocket(name: string): NotifySocket {
  const isAbstract = name.startsWith('@')
  const path = Buffer.from(isAbstract ? `\0${name.slice(1)}` : `${name}\0`)
  const address = Buffer.concat([Buffer.from([AF_UNIX, 0]), path])
  const fd = check('socket', libc.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0))
  check('bind', bind(fd, address, address.length))
  return {
    receive: () => {
      const text = Buffer.alloc(4096)
      const length = Number(recv(fd, text, text.length, MSG_DONTWAIT))
      if (length >= 0) return text.toString('utf8', 0, length)
      const errno = lastErrno()
      if (errno !== EAGAIN) throw new SystemCallError('recv', errno)
      return undefined
    },
    [Symbol.dispose]: () => {
      closeSync(fd)
      if (!isAbstract) rmSync(name, {force: true})
    },
  }
}

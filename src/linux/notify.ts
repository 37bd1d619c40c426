/**
 * What a service tells its service manager (sd_notify(3)): datagrams to the socket that NOTIFY_SOCKET names. Node.js has no such sockets.
 * By this process itself, so that `NotifyAccess=main` accepts them.
 */
import {closeSync} from 'node:fs'
import {check, libc} from './libc.ts'

export interface ServiceManager {
  /** The service has started, or has this to say of itself. @param status one line */
  ready(status: string): void
  /** The service is about to end. */
  stopping(): void
}

const AF_UNIX = 1
const SOCK_DGRAM = 2
const SOCK_CLOEXEC = 0o2000000
const MSG_NOSIGNAL = 0x4000
/** struct sockaddr_un (unix(7)). */
const longestPath = 107

/**
 * @param socket a path or, beginning with `@`, an abstract name; undefined when there is no service manager
 * @param onFailure a message could not be sent; the service goes on
 */
export function createServiceManager(socket: string | undefined, onFailure: (error: unknown) => void): ServiceManager {
  return {
    ready: (status) => tell(`READY=1\nMAINPID=${process.pid}\nSTATUS=${status.replaceAll('\n', ' ')}`),
    stopping: () => tell('STOPPING=1\nSTATUS=ending; containers run on'),
  }

  function tell(message: string): void {
    if (socket === undefined) return
    try {
      send(socket, Buffer.from(message))
    } catch (error) {
      onFailure(error)
    }
  }
}

/** @throws SystemCallError, Error */
function send(socket: string, message: Buffer): void {
  const address = toAddress(socket)
  const fd = check('socket', libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0))
  try {
    check('sendto', libc.sendto(fd, message, message.length, MSG_NOSIGNAL, address, address.length))
  } finally {
    closeSync(fd)
  }
}

/** An abstract name begins with a 0 and has none behind it, a path the other way round. */
function toAddress(socket: string): Buffer {
  const isAbstract = socket.startsWith('@')
  const name = Buffer.from(isAbstract ? `\0${socket.slice(1)}` : `${socket}\0`)
  if (name.length > longestPath + 1 || !/^[@/]/.test(socket)) throw new Error(`NOTIFY_SOCKET is no address: ${socket}`)
  return Buffer.concat([Buffer.from(new Uint16Array([AF_UNIX]).buffer), name])
}

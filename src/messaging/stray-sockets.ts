/**
 * When a server accepts a connection and then sends nothing in time, the client library leaves its socket open. It keeps the process from
 * ending, and each attempt adds one. Node.js reports the sockets that are opened, and in which asynchronous context.
 */
import {AsyncLocalStorage} from 'node:async_hooks'
import {subscribe} from 'node:diagnostics_channel'
import {Socket} from 'node:net'

interface Attempt {
  /** Undefined when the attempt is over: sockets that its connection opens later are left alone. */
  sockets: Socket[] | undefined
}

const attempts = new AsyncLocalStorage<Attempt>()

subscribe('net.client.socket', (message) => {
  if (typeof message === 'object' && message !== null && 'socket' in message && message.socket instanceof Socket)
    attempts.getStore()?.sockets?.push(message.socket)
})

/** Closes the sockets that `connect` has opened, if it fails. */
export async function withoutStraySockets<T>(connect: () => Promise<T>): Promise<T> {
  const attempt: Attempt = {sockets: []}
  try {
    return await attempts.run(attempt, connect)
  } catch (error) {
    for (const socket of attempt.sockets ?? []) socket.destroy()
    throw error
  } finally {
    attempt.sockets = undefined
  }
}

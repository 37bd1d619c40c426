/**
 * The client library leaves a socket open whose server took the connection and then said nothing in time: it keeps a process from ending,
 * and each attempt leaves another. Node.js tells of the sockets that are opened, and in whose course.
 */
import {AsyncLocalStorage} from 'node:async_hooks'
import {subscribe} from 'node:diagnostics_channel'
import {Socket} from 'node:net'

interface Attempt {
  /** Undefined when it is over: what its connection opens later is not ours. */
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

import {randomBytes} from 'node:crypto'

/** An id as the coordinator makes them, and docker. The client makes its own, since only a request with an id can be retried. */
export function randomId(): string {
  return randomBytes(6).toString('hex')
}

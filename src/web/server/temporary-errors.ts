/** Errors that pass by themselves: NATS cannot be reached, or is back while supervisors are still reconnecting. */
import type {Clock} from '../../kernel/clock.ts'
import {toErrorBody} from '../../kernel/errors.ts'

export interface TemporaryErrors {
  /** Whether the request that failed with this is to be tried again. Call it for every failure, in the order in which they happen. */
  isTemporary(error: unknown): boolean
  /** The connection was lost while no request was under way. */
  noteLoss(): void
}

/** Supervisors reconnect within seconds; until then a container without a responder may still exist. */
const reconnectMs = 10_000

type Contact = {readonly type: 'unbroken'} | {readonly type: 'lost'; readonly atMs: number}

export function createTemporaryErrors(clock: Pick<Clock, 'elapsed'>): TemporaryErrors {
  let contact: Contact = {type: 'unbroken'}
  return {
    isTemporary: (error) => {
      const {code} = toErrorBody(error)
      if (code === 'NATS_UNREACHABLE' || code === 'TIMED_OUT') {
        noteLoss()
        return true
      }
      return code === 'CONTAINER_NOT_FOUND' && contact.type === 'lost' && clock.elapsed() < contact.atMs + reconnectMs
    },
    noteLoss,
  }

  function noteLoss(): void {
    contact = {type: 'lost', atMs: clock.elapsed()}
  }
}

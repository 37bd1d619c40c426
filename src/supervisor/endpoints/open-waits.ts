/** Requests that wait for an exit. They keep no supervisor awake: when it falls asleep, the coordinator waits in its place. */
import type {NatsConnection} from 'nats'
import {containerCommandSchemas} from '../../../machines/commands/commands.ts'
import type {Clock} from '../../kernel/clock.ts'
import {encodeJson, parseRequest} from '../../messaging/codec.ts'
import {type KeptRequest, sendOn} from '../../messaging/kept-request.ts'
import {type Endpoint, passedOn} from '../../messaging/services.ts'

export interface OpenWaits {
  /** Of the endpoint `wait`. */
  wrap(endpoint: Endpoint): Endpoint
  /** How many are open. */
  readonly count: number
  /** Sends all of them again, for what is left of their time, to whoever listens now. They are not answered here any more. */
  passOn(connection: Pick<NatsConnection, 'publish'>): void
}

interface OpenWait {
  readonly request: KeptRequest
  readonly sinceMs: number
  readonly resolve: (passed: typeof passedOn) => void
}

export function createOpenWaits(clock: Pick<Clock, 'elapsed'>): OpenWaits {
  const open = new Set<OpenWait>()
  return {
    wrap: (endpoint) => ({
      ...endpoint,
      handle: async (bytes, origin, message) => {
        const {promise, resolve} = Promise.withResolvers<typeof passedOn>()
        const wait = {request: message.keep(), sinceMs: clock.elapsed(), resolve}
        open.add(wait)
        try {
          return await Promise.race([endpoint.handle(bytes, origin, message), promise])
        } finally {
          open.delete(wait)
        }
      },
    }),
    get count() {
      return open.size
    },
    passOn: (connection) => {
      for (const {request, sinceMs, resolve} of open) {
        sendOn(connection, request.subject, {...request, data: shorten(request.data, clock.elapsed() - sinceMs)})
        resolve(passedOn)
      }
    },
  }
}

function shorten(data: Uint8Array, byMs: number): Uint8Array {
  const {waitMs, ...request} = parseRequest(containerCommandSchemas.wait, data)
  return encodeJson({...request, ...(waitMs !== undefined && {waitMs: Math.max(1, waitMs - byMs)})})
}

/**
 * Stateless sessions: the cookie contains the actor and the end of the session, and is signed with a key of the node. So a session
 * outlives the coordinator, and no memory grows with their number.
 */
import {createHmac, timingSafeEqual} from 'node:crypto'
import * as z from 'zod'
import type {Clock} from '../../kernel/clock.ts'

export interface Session {
  /** As it is recorded in the ledger. */
  readonly actor: string
}

export interface Sessions {
  /** Of its own for each node: a browser sends cookies to a host whatever the port, and several nodes may run there. */
  readonly cookieName: string
  /** The value of a cookie. */
  issue(session: Session): string
  /** Undefined when this node has not issued it, or it has expired. */
  verify(cookie: string | undefined): Session | undefined
}

export const sessionCookiePrefix = 'tally_session_'
export const sessionLifeMs = 24 * 60 * 60_000

const claimsSchema = z.object({actor: z.string(), expiresAtMs: z.number()})

export function createSessions(key: Uint8Array, clock: Pick<Clock, 'now'>): Sessions {
  return {
    cookieName: `${sessionCookiePrefix}${sign('name of the cookie').toString('hex').slice(0, 8)}`,
    issue: ({actor}) => {
      const claims: z.infer<typeof claimsSchema> = {actor, expiresAtMs: clock.now() + sessionLifeMs}
      const payload = Buffer.from(JSON.stringify(claims)).toString('base64url')
      return `${payload}.${sign(payload).toString('base64url')}`
    },
    verify: (cookie = '') => {
      const [payload = '', signature = ''] = cookie.split('.', 2)
      const given = Buffer.from(signature, 'base64url')
      const expected = sign(payload)
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
      const {actor, expiresAtMs} = claimsSchema.parse(JSON.parse(Buffer.from(payload, 'base64url').toString()))
      return clock.now() < expiresAtMs ? {actor} : undefined
    },
  }

  function sign(payload: string): Buffer {
    return createHmac('sha256', key).update(payload).digest()
  }
}

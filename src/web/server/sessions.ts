/**
 * Sessions without a memory: the cookie says who it is and until when, and is signed with a key of the node's own. So a session
 * outlives the coordinator, and nothing grows with their number.
 */
import {createHmac, timingSafeEqual} from 'node:crypto'
import * as z from 'zod'
import type {Clock} from '../../kernel/clock.ts'

export interface Session {
  /** Who acts, as the ledger will have it. */
  readonly actor: string
}

export interface Sessions {
  /** A browser knows cookies by host, whatever the port: several nodes there must not take each other's. */
  readonly cookieName: string
  /** The value of a cookie. */
  issue(session: Session): string
  /** Undefined when it was not issued here, or is too old. */
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

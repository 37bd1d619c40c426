/** One-time tokens, which `tally ui` puts into an address: each is valid for one login within a few minutes. They are kept in memory only. */
import {createHash, randomBytes} from 'node:crypto'
import type {Clock} from '../../kernel/clock.ts'

export interface Tokens {
  /** @param actor as it is to be recorded in the ledger */
  issue(actor: string): {readonly token: string; readonly expiresAt: string}
  /** Uses the token. @returns the actor that it was issued for; undefined when it is wrong, used or expired */
  redeem(token: string): string | undefined
}

export const tokenLifeMs = 5 * 60_000
/** The oldest is dropped when more are issued. */
const mostTokens = 1_000

export function createTokens(clock: Pick<Clock, 'elapsed'>): Tokens {
  /** By their digests, so that the time of a lookup does not tell how much of a guessed token is right. */
  const issued = new Map<string, {readonly actor: string; readonly expiresAtMs: number}>()

  return {
    issue: (actor) => {
      forgetOld()
      const token = randomBytes(32).toString('base64url')
      const expiresAtMs = clock.elapsed() + tokenLifeMs
      issued.set(digest(token), {actor, expiresAtMs})
      return {token, expiresAt: new Date(expiresAtMs).toISOString()}
    },
    redeem: (token) => {
      const key = digest(token)
      const found = issued.get(key)
      issued.delete(key)
      return found && clock.elapsed() < found.expiresAtMs ? found.actor : undefined
    },
  }

  function forgetOld(): void {
    for (const [key, {expiresAtMs}] of issued) if (expiresAtMs <= clock.elapsed() || issued.size >= mostTokens) issued.delete(key)
  }
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('base64')
}

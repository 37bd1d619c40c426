/** One-time tokens: what `tally ui` puts into an address, good for one login within a few minutes. In memory alone. */
import {createHash, randomBytes} from 'node:crypto'
import type {Clock} from '../../kernel/clock.ts'

export interface Tokens {
  /** @param actor who asks, for the ledger */
  issue(actor: string): {readonly token: string; readonly expiresAt: string}
  /** For whom it was issued; undefined when it is wrong, used or too old. It is used with this. */
  redeem(token: string): string | undefined
}

export const tokenLifeMs = 5 * 60_000
/** The eldest goes when somebody asks for more. */
const mostTokens = 1_000

export function createTokens(clock: Pick<Clock, 'elapsed'>): Tokens {
  /** By their digests, so that to look one up does not take longer the more of it is right. */
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

import {describe, expect, it} from 'vitest'
import {createSessions, sessionLifeMs} from '../../../../src/web/server/sessions.ts'
import {createTokens, tokenLifeMs} from '../../../../src/web/server/tokens.ts'
import {createFakeClock} from '../../../support/fake-clock.ts'

const clock = () => createFakeClock(Date.parse('2026-01-02T03:04:05.000Z'))

describe('a one-time token', () => {
  it('is valid once, for the actor it was issued to', () => {
    const tokens = createTokens(clock())
    const {token, expiresAt} = tokens.issue('alice')
    expect(token).toMatch(/^[\w-]{43}$/)
    expect(expiresAt).toBe('2026-01-02T03:09:05.000Z')
    expect([tokens.redeem('other'), tokens.redeem(token), tokens.redeem(token)]).toEqual([undefined, 'alice', undefined])
  })

  it('is valid until it expires', () => {
    const time = clock()
    const tokens = createTokens(time)
    const [first, second] = [tokens.issue('alice'), tokens.issue('bob')]
    time.advance(tokenLifeMs - 1)
    expect(tokens.redeem(first.token)).toBe('alice')
    time.advance(1)
    expect(tokens.redeem(second.token)).toBeUndefined()
  })

  it('is dropped when too many newer ones exist', () => {
    const tokens = createTokens(clock())
    const issued = Array.from({length: 1_001}, (_, index) => tokens.issue(String(index)).token)
    expect(issued.map((token) => tokens.redeem(token)).filter((actor) => actor === undefined)).toHaveLength(1)
    expect(tokens.redeem(issued[0] ?? '')).toBeUndefined()
  })
})

describe('a session', () => {
  const key = Buffer.alloc(32, 1)

  it('has its actor until it expires', () => {
    const time = clock()
    const sessions = createSessions(key, time)
    const cookie = sessions.issue({actor: 'alice (page)'})
    time.advance(sessionLifeMs - 1)
    expect(sessions.verify(cookie)).toEqual({actor: 'alice (page)'})
    expect(createSessions(key, time).verify(cookie)).toEqual({actor: 'alice (page)'})
    time.advance(1)
    expect(sessions.verify(cookie)).toBeUndefined()
  })

  it('is invalid with another key or a changed character', () => {
    const time = clock()
    const cookie = createSessions(key, time).issue({actor: 'alice'})
    expect(createSessions(Buffer.alloc(32, 2), time).verify(cookie)).toBeUndefined()
    for (const [index, character] of [...cookie].entries()) {
      // The last character of base64 contains unused bits.
      if (index === cookie.length - 1) continue
      const tampered = `${cookie.slice(0, index)}${character === 'A' ? 'B' : 'A'}${cookie.slice(index + 1)}`
      expect(createSessions(key, time).verify(tampered), tampered).toBeUndefined()
    }
  })

  it.each([undefined, '', '.', '..', 'a.b', 'e30.', '.e30', 'x'.repeat(10_000)])('is not valid: %s', (cookie) => {
    expect(createSessions(key, clock()).verify(cookie)).toBeUndefined()
  })
})

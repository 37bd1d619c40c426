import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {mostCookieBytes} from '../../../../src/shim/client/frames.ts'
import {
  type AcceptedInput,
  decodeInputCookie,
  encodeInputCookie,
  mostRecordedSessions,
  toSessionKey,
} from '../../../../src/supervisor/input/input-cookie.ts'

const names = fc.string({unit: 'grapheme-ascii', maxLength: 128})

describe('what is recorded of accepted input', () => {
  it('is read by the next supervisor as it was written', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(names.map(toSessionKey), fc.maxSafeNat()), {maxLength: mostRecordedSessions}), (accepted) => {
        expect(decodeInputCookie(encodeInputCookie(accepted))).toEqual(accepted)
      }),
    )
  })

  it('is nothing before there was input', () => {
    expect(decodeInputCookie(new Uint8Array())).toEqual([])
  })

  it('has those that sent something last, and fits into a frame however long their names are and however much they have sent', () => {
    const accepted: AcceptedInput = Array.from({length: mostRecordedSessions + 5}, (_, index) => [
      toSessionKey(`${index}`.padEnd(128, '"')),
      Number.MAX_SAFE_INTEGER - index,
    ])
    const cookie = encodeInputCookie(accepted)
    expect(cookie.length).toBeLessThanOrEqual(mostCookieBytes)
    expect(decodeInputCookie(cookie)).toEqual(accepted.slice(5))
  })

  it('tells clients apart by their whole name', () => {
    fc.assert(fc.property(names, names, (one, other) => (toSessionKey(one) === toSessionKey(other)) === (one === other)))
  })

  it('is refused when it is of another form', () => {
    for (const text of ['{', '{"sessions": []}', '[["a", -1]]', '[["a"]]']) expect(() => decodeInputCookie(Buffer.from(text))).toThrow()
  })
})

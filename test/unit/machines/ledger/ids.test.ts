import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {idSchema, isId, parseSource, toSource} from '../../../../machines/ledger/ids.ts'

const id = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/)

describe('an id', () => {
  it.each(['a', '0', 'web-1', 'A_b-C', 'x'.repeat(63)])('can be %j', (value) => {
    expect(isId(value)).toBe(true)
    expect(idSchema.parse(value)).toBe(value)
  })

  it.each(['', '-a', '_a', 'a.b', 'a b', 'a*', 'a>', 'a/b', '..', 'é', 'a\n', 'a\0', 'x'.repeat(64)])('cannot be %j', (value) => {
    expect(isId(value)).toBe(false)
    expect(idSchema.safeParse(value).error?.issues[0]?.message).toBe(
      `expected 1 to 63 of A-Z a-z 0-9 _ -, the first a letter or digit, got ${JSON.stringify(value)}`,
    )
  })

  it.each([undefined, null, 5, {}, ['a']])('is a string, not %j', (value) => {
    expect(isId(value)).toBe(false)
  })
})

describe('a source', () => {
  it('names node, namespace and id', () => {
    expect(toSource({node: 'n', namespace: 'ns', id: 'web'})).toBe('/tally/n/ns/web')
  })

  it('is parsed into the original address', () => {
    fc.assert(
      fc.property(fc.record({node: id, namespace: id, id}), (address) => {
        expect(parseSource(toSource(address))).toEqual(address)
      }),
    )
  })

  it.each([
    '',
    '/',
    'tally/n/ns/web',
    '/tally/n/ns',
    '/tally/n/ns/web/',
    '/tally/n/ns/web/x',
    '/other/n/ns/web',
    '/tally/n/../web',
    '/tally//ns/web',
  ])('cannot be %j', (source) => {
    expect(parseSource(source)).toBeUndefined()
  })
})

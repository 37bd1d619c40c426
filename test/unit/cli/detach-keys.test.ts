import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {createDetachScanner, parseDetachKeys} from '../../../src/cli/detach-keys.ts'

const usual = parseDetachKeys('ctrl-p,ctrl-q')

/** What is forwarded of several pieces, and whether the keys were in them. */
function scan(keys: Uint8Array, pieces: readonly Uint8Array[]) {
  const scanner = createDetachScanner(keys)
  const forward: Uint8Array[] = []
  for (const piece of pieces) {
    const result = scanner.feed(piece)
    forward.push(result.forward)
    if (result.detached) return {forward: Buffer.concat(forward), detached: true}
  }
  return {forward: Buffer.concat(forward), detached: false}
}

describe('the keys that detach', () => {
  it.each<[string, readonly number[]]>([
    ['ctrl-p,ctrl-q', [16, 17]],
    ['ctrl-@,ctrl-a,CTRL-Z', [0, 1, 26]],
    ['ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_', [27, 28, 29, 30, 31]],
    ['a,~', [97, 126]],
    ['', []],
  ])('%s', (text, bytes) => {
    expect([...parseDetachKeys(text)]).toEqual(bytes)
  })

  it.each(['ctrl-1', 'ctrl-', 'ab', 'ctrl-p,', ' ', 'ctrl-p;ctrl-q', 'é'])('are not %j', (text) => {
    expect(() => parseDetachKeys(text)).toThrow('expected keys separated by commas')
  })
})

describe('the scanner', () => {
  it('finds the keys, also in several pieces, and forwards what came before', () => {
    expect(scan(usual, [Buffer.from('ab\x10\x11cd')])).toEqual({forward: Buffer.from('ab'), detached: true})
    expect(scan(usual, [Buffer.from('ab\x10'), Buffer.from('\x11')])).toEqual({forward: Buffer.from('ab'), detached: true})
  })

  it('keeps the first key until the next one shows that it was input', () => {
    const scanner = createDetachScanner(usual)
    expect(scanner.feed(Buffer.from('\x10')).forward).toHaveLength(0)
    expect(Buffer.from(scanner.feed(Buffer.from('x')).forward)).toEqual(Buffer.from('\x10x'))
  })

  it('finds keys that repeat themselves', () => {
    expect(scan(parseDetachKeys('a,a,b'), [Buffer.from('aaab')])).toEqual({forward: Buffer.from('a'), detached: true})
  })

  it('forwards every byte while the keys are not pressed', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({minLength: 1, maxLength: 4, max: 3}),
        fc.array(fc.uint8Array({maxLength: 8, max: 3}), {maxLength: 8}),
        (keys, pieces) => {
          const all = Buffer.concat(pieces)
          const at = all.indexOf(Buffer.from(keys))
          const {forward, detached} = scan(keys, pieces)
          expect(detached).toBe(at >= 0)
          if (at >= 0) expect(forward).toEqual(all.subarray(0, at))
          // Bytes that are not forwarded are a prefix of the keys.
          else expect(all.subarray(0, forward.length)).toEqual(forward)
          if (at < 0) expect(Buffer.from(keys).subarray(0, all.length - forward.length)).toEqual(all.subarray(forward.length))
        },
      ),
    )
  })

  it('forwards everything without keys', () => {
    expect(scan(new Uint8Array(), [Buffer.from('\x10\x11')])).toEqual({forward: Buffer.from('\x10\x11'), detached: false})
  })
})

import {readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {findTail} from '../../../src/stdio/log-tail.ts'
import {createOutputReader} from '../../../src/stdio/output-reader.ts'
import {makeTempDir} from '../support/temp-dir.ts'

import {encode, makeLog, out} from './log-fixture.ts'

describe('the tail of a log', () => {
  it.each([
    [0, ''],
    [1, 'three'],
    [2, 'two\nthree'],
    [3, 'one\ntwo\nthree'],
    [4, 'one\ntwo\nthree'],
    [Number.MAX_SAFE_INTEGER, 'one\ntwo\nthree'],
  ])('of %d lines', (count, text) => {
    using log = makeLog(out('one\n'), out('two\nthr'), out('ee'))
    const tail = readFileSync(log.path).subarray(findTail(log.path, count))
    expect(
      tail
        .toString()
        .replace(/^\S+ stdout [FP] /gm, '')
        .replace('thr\nee\n', 'three'),
    ).toBe(text)
  })

  it('counts a line with several parts once', () => {
    const long = out(`${'x'.repeat(50_000)}\n`)
    using log = makeLog(out('one\n'), long, out('two\n'))
    expect(findTail(log.path, 2)).toBe(encode([out('one\n')]).length)
    expect(findTail(log.path, 1)).toBe(encode([out('one\n'), long]).length)
  })

  it('of an empty log is its start', () => {
    using log = makeLog()
    expect([0, 1, 5].map((count) => findTail(log.path, count))).toEqual([0, 0, 0])
  })

  it('does not depend on the size of the first read', () => {
    const piece = fc.record({stream: fc.constantFrom('stdout' as const, 'stderr' as const), text: fc.stringMatching(/^[a-b\n]{1,12}$/)})
    fc.assert(
      fc.property(fc.array(piece, {maxLength: 20}), fc.nat(8), fc.integer({min: 1, max: 300}), (pieces, count, windowBytes) => {
        using log = makeLog(...pieces.map(({stream, text}) => ({...out(text), stream})))
        expect(findTail(log.path, count, windowBytes)).toBe(findTail(log.path, count, 1_000_000))
      }),
    )
  })

  it('has as many lines as there are newlines', () => {
    const text = fc.array(fc.stringMatching(/^[a-b\n]{1,12}$/), {maxLength: 12})
    fc.assert(
      fc.property(text, fc.nat(8), (pieces, count) => {
        using log = makeLog(...pieces.map(out))
        const lines = pieces.join('').match(/[^\n]*\n|[^\n]+$/g) ?? []
        const tail = readFileSync(log.path).subarray(findTail(log.path, count))
        using rest = makeTempDir()
        const path = join(rest.path, 'log')
        writeFileSync(path, tail)
        expect(createOutputReader(path).read('stdout', 0, 10_000).bytes.toString()).toBe(count === 0 ? '' : lines.slice(-count).join(''))
      }),
    )
  })
})

import {appendFileSync} from 'node:fs'
import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import type {LogEntry} from '../../../src/stdio/cri-log.ts'
import {toLogTime} from '../../support/encode-chunk.ts'
import {firstPlace} from '../../../src/stdio/log-segments.ts'
import {readLogPage} from '../../../src/stdio/log-page.ts'

import {atMs, chunks, encode, makeLog, out} from './log-fixture.ts'

describe('a page of the log', () => {
  const three = [out('one\n'), out('two\n'), out('three\n')]
  const lineBytes = encode([out('one\n')]).length
  const entry = (text: string, next: number) => ({time: toLogTime(atMs), stream: 'stdout', bytes: Buffer.from(text), next})

  it('has complete entries, up to the requested number of bytes', () => {
    using log = makeLog(...three)
    const page = readLogPage(log.path, 0, 2 * lineBytes)
    expect(page).toEqual({
      position: 0,
      entries: [entry('one\n', lineBytes), entry('two\n', 2 * lineBytes)],
      next: 2 * lineBytes,
      atEnd: false,
      oldest: firstPlace,
    })
    expect(readLogPage(log.path, 0, 2 * lineBytes - 1).next).toBe(lineBytes)
    expect(readLogPage(log.path, page.next, 1_000)).toEqual({
      position: 2 * lineBytes,
      entries: [entry('three\n', encode(three).length)],
      next: encode(three).length,
      atEnd: true,
      oldest: firstPlace,
    })
  })

  it('has at least one entry, even if it exceeds the requested number of bytes', () => {
    using log = makeLog(...three)
    expect(readLogPage(log.path, 0, 1)).toEqual({
      position: 0,
      entries: [entry('one\n', lineBytes)],
      next: lineBytes,
      atEnd: false,
      oldest: firstPlace,
    })
  })

  it('is empty at the end, and stops before a torn line', () => {
    using log = makeLog(...three)
    const size = encode(three).length
    expect(readLogPage(log.path, size, 100)).toEqual({position: size, entries: [], next: size, atEnd: true, oldest: firstPlace})
    appendFileSync(log.path, encode([out('four\n')]).subarray(0, -1))
    expect(readLogPage(log.path, size, 100)).toMatchObject({entries: [], next: size})
    appendFileSync(log.path, '\n')
    expect(readLogPage(log.path, size, 100).entries).toEqual([entry('four\n', size + encode([out('four\n')]).length)])
  })

  it('after page returns all entries, whatever the limit', () => {
    fc.assert(
      fc.property(chunks, fc.integer({min: 1, max: 200}), (written, limitBytes) => {
        using log = makeLog(...written)
        const pages: LogEntry[] = []
        for (let position = 0, atEnd = false; !atEnd; ) {
          const page = readLogPage(log.path, position, limitBytes)
          pages.push(...page.entries)
          ;({next: position, atEnd} = page)
        }
        for (const stream of ['stdout', 'stderr'] as const) {
          const got = pages.filter((one) => one.stream === stream).map(({bytes}) => bytes)
          expect(Buffer.concat(got)).toEqual(Buffer.concat(written.filter((one) => one.stream === stream).map(({bytes}) => bytes)))
        }
      }),
    )
  })
})

import {appendFileSync, closeSync, openSync, readFileSync} from 'node:fs'
import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import type {StreamName} from '../../../src/stdio/streams.ts'
import {toLogEntry} from '../../../src/stdio/cri-log.ts'
import {readLogLines} from '../../../src/stdio/log-file.ts'
import {createOutputReader} from '../../../src/stdio/output-reader.ts'

import {chunks, encode, makeLog, out} from './log-fixture.ts'

function entriesOf(path: string): readonly string[] {
  const fd = openSync(path, 'r')
  try {
    return Array.from(readLogLines(fd), (entry) => `${entry.stream} ${toLogEntry(entry.line, entry).bytes} ${entry.end}`)
  } finally {
    closeSync(fd)
  }
}

describe('the entries of a log', () => {
  it('have their end position in the file, also after foreign lines and before a torn last line', () => {
    using log = makeLog(out('a\n'))
    const first = encode([out('a\n')]).length
    appendFileSync(log.path, 'a stranger\n')
    appendFileSync(log.path, encode([{stream: 'stderr', bytes: Buffer.from('no')}]))
    const second = readFileSync(log.path).length
    appendFileSync(log.path, '2026-01-02T03:04:05.123000000+00:00 stdout F to')
    expect(entriesOf(log.path)).toEqual([`stdout a\n ${first}`, `stderr no ${second}`])
  })
})

describe('the reader of an output', () => {
  it('returns any part of either stream, in any order of requests', () => {
    const requests = fc.array(
      fc.record({
        stream: fc.constantFrom<StreamName[]>('stdout', 'stderr'),
        offset: fc.nat(300),
        limitBytes: fc.integer({min: 1, max: 300}),
      }),
      {minLength: 1, maxLength: 12},
    )
    fc.assert(
      fc.property(chunks, requests, (written, asked) => {
        using log = makeLog(...written)
        const reader = createOutputReader(log.path)
        for (const {stream, offset, limitBytes} of asked) {
          const whole = Buffer.concat(written.filter((chunk) => chunk.stream === stream).map(({bytes}) => bytes))
          expect(reader.read(stream, offset, limitBytes).bytes).toEqual(whole.subarray(offset, offset + limitBytes))
        }
      }),
    )
  })

  it('returns new output of a growing log', () => {
    fc.assert(
      fc.property(chunks, fc.integer({min: 1, max: 30}), (written, limitBytes) => {
        using log = makeLog()
        const reader = createOutputReader(log.path)
        const whole = {stdout: Buffer.alloc(0), stderr: Buffer.alloc(0)}
        const read = {stdout: Buffer.alloc(0), stderr: Buffer.alloc(0)}
        for (const chunk of written) {
          appendFileSync(log.path, encode([chunk]))
          whole[chunk.stream] = Buffer.concat([whole[chunk.stream], chunk.bytes])
          read[chunk.stream] = Buffer.concat([read[chunk.stream], reader.read(chunk.stream, read[chunk.stream].length, limitBytes).bytes])
        }
        for (const stream of ['stdout', 'stderr'] as const) expect(read[stream]).toEqual(whole[stream].subarray(0, read[stream].length))
      }),
    )
  })

  it('returns nothing at and after the end', () => {
    using log = makeLog(out('abc'))
    const reader = createOutputReader(log.path)
    for (const offset of [3, 4, 1_000]) expect(reader.read('stdout', offset, 10).bytes.length).toBe(0)
    expect(reader.read('stdout', 0, 10).bytes.toString()).toBe('abc')
  })
})

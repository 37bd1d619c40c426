/** What the shim writes, the readers of src/stdio read: every byte, over rotations, and whoever opens the log next goes on. */
import {mkdtempSync, readFileSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import fc from 'fast-check'
import {beforeAll, describe, expect, it} from 'vitest'
import {findEnd, readLog} from '../../../src/stdio/log-file.ts'
import {readLogPage} from '../../../src/stdio/log-page.ts'
import {listSegments} from '../../../src/stdio/log-segments.ts'
import {createOutputReader} from '../../../src/stdio/output-reader.ts'
import type {StreamName} from '../../../src/stdio/streams.ts'
import {encodeChunk} from '../../support/encode-chunk.ts'
import {appendToLog, buildShimTests} from '../../support/shim-log.ts'
import {atMs, type Chunk, chunks} from '../stdio/log-fixture.ts'

const runs = {numRuns: 60}

beforeAll(buildShimTests)

function withLog<T>(use: (path: string, dir: string) => T): T {
  const dir = mkdtempSync(join(tmpdir(), 'tally-shim-log-'))
  try {
    return use(join(dir, 'log'), dir)
  } finally {
    rmSync(dir, {recursive: true})
  }
}

const bytesOf = (written: readonly Chunk[], stream: StreamName) =>
  Buffer.concat(written.filter((chunk) => chunk.stream === stream).map(({bytes}) => bytes))
const withoutTimes = (text: string) => text.replace(/^\S+ /gm, '')

describe('the log of the shim', () => {
  it('has the lines that the format asks for', () => {
    fc.assert(
      fc.property(chunks, (written) => {
        withLog((path) => {
          appendToLog(path, written)
          const expected = Buffer.concat(written.map((chunk) => encodeChunk({...chunk, atMs})))
          expect(withoutTimes(readFileSync(path, 'latin1'))).toBe(withoutTimes(expected.toString('latin1')))
        })
      }),
      runs,
    )
  })

  it('has the local time of reading, to the nanosecond', () => {
    withLog((path) => {
      appendToLog(path, [{stream: 'stdout', bytes: Buffer.from('x\n')}])
      const [time = ''] = readFileSync(path, 'latin1').split(' ')
      expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.123456789[+-]\d\d:\d\d$/)
      expect(Date.parse(time)).toBe(1_700_000_000_123)
    })
  })

  it('parts lines that are longer than 16 KiB', () => {
    withLog((path) => {
      const long = [16_383, 16_384, 16_385, 40_000].map((length) => ({
        stream: 'stdout' as const,
        bytes: Buffer.from(`${'x'.repeat(length)}\n`),
      }))
      appendToLog(path, long)
      const expected = Buffer.concat(long.map((chunk) => encodeChunk({...chunk, atMs})))
      expect(withoutTimes(readFileSync(path, 'latin1'))).toBe(withoutTimes(expected.toString('latin1')))
    })
  })

  it('gives any part of either stream back to the readers', () => {
    fc.assert(
      fc.property(
        chunks,
        fc.integer({min: 40, max: 300}),
        fc.integer({min: 1, max: 4}),
        fc.nat(300),
        fc.integer({min: 1, max: 300}),
        (written, maxBytes, maxFiles, wanted, limitBytes) => {
          withLog((path) => {
            const {position, stdout, stderr} = appendToLog(path, written, {maxBytes, maxFiles})
            expect([stdout, stderr]).toEqual([bytesOf(written, 'stdout').length, bytesOf(written, 'stderr').length])
            expect(findEnd(path)).toBe(position)
            const reader = createOutputReader(path)
            for (const stream of ['stdout', 'stderr'] as const) {
              const begin = listSegments(path)[0]?.begin[stream] ?? 0
              const {offset, bytes} = reader.read(stream, wanted, limitBytes)
              expect(offset).toBe(Math.max(begin, wanted))
              expect(bytes).toEqual(bytesOf(written, stream).subarray(offset, offset + limitBytes))
            }
          })
        },
      ),
      runs,
    )
  })

  it('goes on whenever it is opened again', () => {
    fc.assert(
      fc.property(fc.array(chunks, {minLength: 2, maxLength: 5}), fc.integer({min: 60, max: 400}), (turns, maxBytes) => {
        withLog((path) => {
          for (const written of turns) appendToLog(path, written, {maxBytes, maxFiles: 1_000})
          const all = turns.flat()
          const reader = createOutputReader(path)
          for (const stream of ['stdout', 'stderr'] as const) expect(reader.read(stream, 0, 100_000).bytes).toEqual(bytesOf(all, stream))
          const page = readLogPage(path, 0, 10_000_000)
          expect(page.next).toBe(findEnd(path))
          expect(Array.from(readLog(path)).length).toBe(page.entries.length)
        })
      }),
      runs,
    )
  })
})

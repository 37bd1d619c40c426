/** What the shim writes, the readers of src/stdio read: every byte, over rotations, and after either writer the other goes on. */
import {execFileSync} from 'node:child_process'
import {mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import fc from 'fast-check'
import {beforeAll, describe, expect, it} from 'vitest'
import {encodeChunk} from '../../../src/stdio/cri-log.ts'
import {findEnd, readLog} from '../../../src/stdio/log-file.ts'
import {readLogPage} from '../../../src/stdio/log-page.ts'
import {listSegments} from '../../../src/stdio/log-segments.ts'
import {openLogWriter} from '../../../src/stdio/log-writer.ts'
import {createOutputReader} from '../../../src/stdio/output-reader.ts'
import type {StreamName} from '../../../src/stdio/streams.ts'
import {atMs, type Chunk, chunks} from '../stdio/log-fixture.ts'

const root = resolve(import.meta.dirname, '../../..')
const program = resolve(root, 'dist/tally-shim-tests')
const runs = {numRuns: 60}

beforeAll(() => {
  execFileSync('sh', ['scripts/build-shim.sh', '--test'], {cwd: root})
})

function withLog<T>(use: (path: string, dir: string) => T): T {
  const dir = mkdtempSync(join(tmpdir(), 'tally-shim-log-'))
  try {
    return use(join(dir, 'log'), dir)
  } finally {
    rmSync(dir, {recursive: true})
  }
}

/** @returns position and totals, as the shim counts them */
function append(path: string, written: readonly Chunk[], maxBytes = 0, maxFiles = 0): readonly number[] {
  const input = Buffer.concat(
    written.flatMap(({stream, bytes}) => {
      const header = Buffer.alloc(5)
      header.writeUInt8(stream === 'stderr' ? 1 : 0)
      header.writeUInt32LE(bytes.length, 1)
      return [header, bytes]
    }),
  )
  const said = execFileSync(program, ['append', path, String(maxBytes), String(maxFiles)], {input, encoding: 'utf8'})
  return said.trim().split(' ').map(Number)
}

function toPlace(path: string) {
  const {position, stdout, stderr} = listSegments(path).at(-1)?.begin ?? {}
  return {position, stdout, stderr}
}

const bytesOf = (written: readonly Chunk[], stream: StreamName) =>
  Buffer.concat(written.filter((chunk) => chunk.stream === stream).map(({bytes}) => bytes))
const withoutTimes = (text: string) => text.replace(/^\S+ /gm, '')

describe('the log of the shim', () => {
  it('has the lines that the other writer writes', () => {
    fc.assert(
      fc.property(chunks, (written) => {
        withLog((path) => {
          append(path, written)
          const expected = Buffer.concat(written.map((chunk) => encodeChunk({...chunk, atMs})))
          expect(withoutTimes(readFileSync(path, 'latin1'))).toBe(withoutTimes(expected.toString('latin1')))
        })
      }),
      runs,
    )
  })

  it('has the local time of reading, to the nanosecond', () => {
    withLog((path) => {
      append(path, [{stream: 'stdout', bytes: Buffer.from('x\n')}])
      const [time = ''] = readFileSync(path, 'latin1').split(' ')
      expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.123456789[+-]\d\d:\d\d$/)
      expect(Date.parse(time)).toBe(1_700_000_000_123)
    })
  })

  it('parts lines that are longer than 16 KiB where the other writer does', () => {
    withLog((path) => {
      const long = [16_383, 16_384, 16_385, 40_000].map((length) => ({
        stream: 'stdout' as const,
        bytes: Buffer.from(`${'x'.repeat(length)}\n`),
      }))
      append(path, long)
      const expected = Buffer.concat(long.map((chunk) => encodeChunk({...chunk, atMs})))
      expect(withoutTimes(readFileSync(path, 'latin1'))).toBe(withoutTimes(expected.toString('latin1')))
    })
  })

  it('rotates where the other writer does, and keeps as many files', () => {
    fc.assert(
      fc.property(chunks, fc.integer({min: 40, max: 300}), fc.integer({min: 1, max: 4}), (written, maxBytes, maxFiles) => {
        withLog((path, dir) => {
          withLog((other, otherDir) => {
            append(path, written, maxBytes, maxFiles)
            {
              using writer = openLogWriter(other, {maxBytes, maxFiles})
              for (const chunk of written) writer.append({...chunk, atMs})
            }
            const files = readdirSync(dir).sort()
            // Of one piece that fills more files than are kept, the other writer does not write the first: it may have one file less.
            for (const file of files.filter((name) => name !== 'log.places' && readdirSync(otherDir).includes(name)))
              expect(withoutTimes(readFileSync(join(dir, file), 'latin1'))).toBe(withoutTimes(readFileSync(join(otherDir, file), 'latin1')))
            expect(toPlace(path)).toEqual(toPlace(other))
            expect(files.filter((name) => name !== 'log.places').length).toBeLessThanOrEqual(maxFiles)
          })
        })
      }),
      runs,
    )
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
            const [position, stdout, stderr] = append(path, written, maxBytes, maxFiles)
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

  it('is gone on with by either writer', () => {
    fc.assert(
      fc.property(fc.array(chunks, {minLength: 2, maxLength: 5}), fc.integer({min: 60, max: 400}), (turns, maxBytes) => {
        withLog((path) => {
          for (const [index, written] of turns.entries()) {
            if (index % 2 === 0) append(path, written, maxBytes, 1_000)
            else {
              using writer = openLogWriter(path, {maxBytes, maxFiles: 1_000})
              for (const chunk of written) writer.append({...chunk, atMs})
            }
          }
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

import {copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import fc from 'fast-check'
import {beforeAll, describe, expect, it} from 'vitest'
import {readLog} from '../../../src/stdio/log-file.ts'
import {readLogPage} from '../../../src/stdio/log-page.ts'
import {findTail} from '../../../src/stdio/log-tail.ts'
import {createOutputReader} from '../../../src/stdio/output-reader.ts'
import {listSegments} from '../../../src/stdio/log-segments.ts'
import {appendToLog, buildShimTests} from '../../support/shim-log.ts'
import {decodeLine} from '../../support/decode-line.ts'
import {makeTempDir} from '../support/temp-dir.ts'
import {type Chunk, chunks, encode, out} from './log-fixture.ts'

beforeAll(buildShimTests)

const numbered = (count: number) => Array.from({length: count}, (_, index) => out(`line ${index + 1}\n`))
const lineBytes = encode([out('line 1\n')]).length

function makeRotatedLog(written: readonly Chunk[], maxBytes: number, maxFiles: number) {
  const dir = makeTempDir()
  const path = join(dir.path, 'log')
  appendToLog(path, written, {maxBytes, maxFiles})
  return {path, dir: dir.path, [Symbol.dispose]: () => dir[Symbol.dispose]()}
}

const textOf = (path: string) => Array.from(readLog(path), ({line, text}) => line.toString('latin1', text))

describe('a rotated log', () => {
  it('has the newest lines in log, earlier ones in log.1, and so on', () => {
    using log = makeRotatedLog(numbered(7), 2 * lineBytes, 10)
    const read = (name: string) => readFileSync(join(log.dir, name), 'utf8').match(/line \d+/g)
    expect(['log', 'log.1', 'log.2', 'log.3'].map(read)).toEqual([
      ['line 7'],
      ['line 5', 'line 6'],
      ['line 3', 'line 4'],
      ['line 1', 'line 2'],
    ])
    expect(readdirSync(log.dir).sort()).toEqual(['log', 'log.1', 'log.2', 'log.3', 'log.places'])
  })

  it('keeps the maximum number of files', () => {
    using log = makeRotatedLog(numbered(9), 2 * lineBytes, 3)
    expect(readdirSync(log.dir).filter((name) => name !== 'log.places')).toHaveLength(3)
    expect(textOf(log.path)).toEqual(['line 5', 'line 6', 'line 7', 'line 8', 'line 9'])
  })

  it('is not rotated by default', () => {
    const dir = makeTempDir()
    appendToLog(join(dir.path, 'log'), numbered(500))
    expect(readdirSync(dir.path)).toEqual(['log'])
    dir[Symbol.dispose]()
  })

  it('returns any part of either stream that it still has', () => {
    fc.assert(
      fc.property(
        chunks,
        fc.integer({min: 40, max: 300}),
        fc.integer({min: 1, max: 4}),
        fc.nat(300),
        fc.integer({min: 1, max: 300}),
        (written, maxBytes, maxFiles, wanted, limitBytes) => {
          using log = makeRotatedLog(written, maxBytes, maxFiles)
          const reader = createOutputReader(log.path)
          for (const stream of ['stdout', 'stderr'] as const) {
            const whole = Buffer.concat(written.filter((chunk) => chunk.stream === stream).map(({bytes}) => bytes))
            const begin = listSegments(log.path)[0]?.begin[stream] ?? 0
            const {offset, bytes} = reader.read(stream, wanted, limitBytes)
            expect(offset).toBe(Math.max(begin, wanted))
            expect(bytes).toEqual(whole.subarray(offset, offset + limitBytes))
          }
        },
      ),
    )
  })

  it('has positions that are valid across its files', () => {
    using log = makeRotatedLog(numbered(20), 3 * lineBytes, 100)
    const texts: string[] = []
    for (let position = 0; ; ) {
      const page = readLogPage(log.path, position, 100)
      expect(page.position).toBe(position)
      texts.push(...page.entries.map(({bytes}) => bytes.toString()))
      position = page.next
      if (page.atEnd) break
    }
    expect(texts).toEqual(numbered(20).map(({bytes}) => bytes.toString()))
    expect(readLogPage(log.path, findTail(log.path, 4), 10_000).entries.map(({bytes}) => bytes.toString())).toEqual(texts.slice(-4))
  })

  it('continues its offsets after deleted files when it is opened again', () => {
    fc.assert(
      fc.property(chunks, chunks, fc.integer({min: 40, max: 300}), (before, after, maxBytes) => {
        using log = makeRotatedLog(before, maxBytes, 2)
        const rotation = {maxBytes, maxFiles: 2}
        const count = (written: readonly Chunk[]) => ({
          stdout: written.filter(({stream}) => stream === 'stdout').reduce((sum, {bytes}) => sum + bytes.length, 0),
          stderr: written.filter(({stream}) => stream === 'stderr').reduce((sum, {bytes}) => sum + bytes.length, 0),
        })
        expect(appendToLog(log.path, [], rotation)).toMatchObject(count(before))
        expect(appendToLog(log.path, after, rotation)).toMatchObject(count([...before, ...after]))
      }),
    )
  })

  it('returns a line of a megabyte unchanged across files', () => {
    const long = Buffer.concat([Buffer.alloc(500_000, 'x'), Buffer.alloc(500_000, 'y'), Buffer.from('\n')])
    const pieces = Array.from(
      {length: 16},
      (_, index): Chunk => ({stream: 'stdout', bytes: long.subarray(index * 65_536, (index + 1) * 65_536)}),
    )
    using log = makeRotatedLog(pieces, 300_000, 10)
    expect(listSegments(log.path).length).toBeGreaterThan(2)
    expect(createOutputReader(log.path).read('stdout', 0, 2_000_000).bytes.equals(long)).toBe(true)
  })
})

describe('the files of a rotated log', () => {
  const sizesOf = (path: string) => listSegments(path).map((segment) => statSync(segment.path).size)
  /** The entries of each file. */
  const linesOf = (path: string) =>
    listSegments(path).map((segment) =>
      readFileSync(segment.path, 'latin1')
        .split('\n')
        .slice(0, -1)
        .map((line) => decodeLine(Buffer.from(line, 'latin1')))
        .map((entry) => ({stream: entry?.stream, text: entry?.bytes.toString() ?? ''})),
    )
  const pieces = (text: string, pieceBytes: number) =>
    Array.from({length: Math.ceil(text.length / pieceBytes)}, (_, index) => out(text.slice(index * pieceBytes, (index + 1) * pieceBytes)))
  const numbers = (count: number) => Array.from({length: count}, (_, index) => `${index + 1}\n`).join('')

  it('are filled to their limit, even if one read returns thousands of lines', () => {
    using log = makeRotatedLog(pieces('\n'.repeat(300_000), 65_536), 1_000, 1)
    expect(sizesOf(log.path)).toEqual([expect.any(Number)])
    expect(sizesOf(log.path)[0]).toBeLessThanOrEqual(1_000)
    expect(listSegments(log.path)[0]?.begin.stdout).toBeGreaterThan(299_900)
    expect(appendToLog(log.path, [], {maxBytes: 1_000, maxFiles: 1}).stdout).toBe(300_000)
  })

  it('begin with a complete line, wherever a read has ended', () => {
    fc.assert(
      fc.property(
        fc.integer({min: 1, max: 400}),
        fc.integer({min: 100, max: 2_000}),
        fc.integer({min: 1, max: 5}),
        (piece, maxBytes, maxFiles) => {
          const text = numbers(500)
          using log = makeRotatedLog(pieces(text, piece), maxBytes, maxFiles)
          for (const lines of linesOf(log.path)) {
            const begin = lines.map(({text: part}) => part).join('')
            expect(text.includes(`\n${begin}`) || text.startsWith(begin)).toBe(true)
            expect(begin.endsWith('\n')).toBe(true)
          }
          // A line that crosses the limit has at most two parts of 50 bytes here.
          expect(Math.max(...sizesOf(log.path))).toBeLessThan(maxBytes + 60 * 4)
          expect(sizesOf(log.path).length).toBe(maxFiles)
        },
      ),
      {numRuns: 40},
    )
  })

  it('begin where both streams are at the start of a line', () => {
    const written = Array.from({length: 40}, (_, index): readonly Chunk[] => [
      out(`out ${index} `),
      {stream: 'stderr', bytes: Buffer.from(`err ${index}\n`)},
      out('ends\n'),
    ]).flat()
    for (const maxBytes of [500, 520, 540, 560, 580, 600]) {
      using log = makeRotatedLog(written, maxBytes, 100)
      const first = linesOf(log.path).map((lines) => lines[0])
      expect(first.length).toBeGreaterThan(5)
      for (const line of first) expect(line).toMatchObject({stream: 'stdout', text: expect.stringMatching(/^out \d+ $/)})
    }
  })

  it('end inside a line only if it is longer than 16 KiB', () => {
    using log = makeRotatedLog(pieces('x'.repeat(500_000), 5_000), 1_000, 1_000)
    expect(Math.max(...sizesOf(log.path))).toBeLessThan(1_000 + 16 * 1024 + 5_100)
    expect(createOutputReader(log.path).read('stdout', 0, 1_000_000).bytes.toString()).toBe('x'.repeat(500_000))
  })

  it('keep all output within their limit when one read fills several files', () => {
    using log = makeRotatedLog([out(numbers(5_000))], 10_000, 4)
    const lines = linesOf(log.path).flat()
    expect(sizesOf(log.path)).toHaveLength(4)
    expect(lines.map(({text}) => Number(text))).toEqual(Array.from({length: lines.length}, (_, index) => 5_001 - lines.length + index))
    expect(
      sizesOf(log.path)
        .slice(0, 3)
        .every((size) => size > 9_900 && size <= 10_000),
    ).toBe(true)
    expect(appendToLog(log.path, [], {maxBytes: 10_000, maxFiles: 4}).stdout).toBe(numbers(5_000).length)
  })
})

describe('an interrupted rotation', () => {
  /** The steps of a rotation: a crash can occur between any two of them. */
  const steps: readonly ((path: string) => void)[] = [
    (path) => copyFileSync('/dev/null', `${path}.next`),
    (path) => {
      const places = JSON.parse(readFileSync(`${path}.places`, 'utf8'))
      const begin = {position: 6 * lineBytes, stdout: 6 * 'line 1\n'.length, stderr: 0}
      writeFileSync(`${path}.places`, JSON.stringify([...places, {inode: statSync(`${path}.next`).ino, ...begin}]))
    },
    (path) => rmSync(`${path}.2`),
    (path) => renameSync(`${path}.1`, `${path}.2`),
    (path) => renameSync(path, `${path}.1`),
    (path) => renameSync(`${path}.next`, path),
  ]

  it.each([0, 1, 2, 3, 4, 5, 6])('is completed when the log is opened again after %i steps', (count) => {
    using log = makeRotatedLog(numbered(6), 2 * lineBytes, 3)
    expect(textOf(log.path)).toHaveLength(6)
    for (const step of steps.slice(0, count)) step(log.path)
    expect(appendToLog(log.path, [], {maxBytes: 2 * lineBytes, maxFiles: 3}).stdout).toBe(6 * 'line 1\n'.length)
    appendToLog(log.path, [out('line 7\n')], {maxBytes: 2 * lineBytes, maxFiles: 3})
    expect(textOf(log.path)).toEqual(['line 3', 'line 4', 'line 5', 'line 6', 'line 7'])
    expect(readdirSync(log.dir).sort()).toEqual(['log', 'log.1', 'log.2', 'log.places'])
  })

  it('ignores a new file that was not renamed yet', () => {
    using log = makeRotatedLog(numbered(4), 2 * lineBytes, 3)
    copyFileSync('/dev/null', `${log.path}.next`)
    mkdirSync(join(log.dir, 'log.other'))
    appendToLog(log.path, [out('line 5\n')], {maxBytes: 2 * lineBytes, maxFiles: 3})
    expect(textOf(log.path)).toEqual(['line 1', 'line 2', 'line 3', 'line 4', 'line 5'])
  })
})

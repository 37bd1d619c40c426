/** A rotated log on a disk that is nearly full: it goes on with the room of its own oldest files. */
import {rmSync} from 'node:fs'
import {join} from 'node:path'
import {afterEach, beforeEach, expect, test} from 'vitest'
import {listSegments} from '../../../src/stdio/log-segments.ts'
import {type LogRotation, type LogWriter, openLogWriter} from '../../../src/stdio/log-writer.ts'
import {createOutputReader} from '../../../src/stdio/output-reader.ts'
import {fill, mountDisk} from '../../support/small-disk.ts'
import {makeTempDir, type TempDir} from '../../support/temp-dir.ts'

const atMs = Date.parse('2026-01-02T03:04:05.123Z')
const rotation: LogRotation = {maxBytes: 100_000, maxFiles: 5}
let dir: TempDir
let disk: AsyncDisposable
let path: string

beforeEach(() => {
  dir = makeTempDir()
  disk = mountDisk(join(dir.path, 'disk'))
  path = join(dir.path, 'disk', 'log')
})

afterEach(async () => {
  await disk[Symbol.asyncDispose]()
  await dir[Symbol.asyncDispose]()
})

/** Of 1,000 bytes each. @returns why it stopped */
function write(log: LogWriter, count: number): unknown {
  for (let line = 0; line < count; line += 1) {
    const number = log.totals.stdout / 1_000
    const why = log.append({stream: 'stdout', atMs, bytes: Buffer.from(`${String(number).padEnd(999, '.')}\n`)})
    if (why !== undefined) return why
  }
  return undefined
}

test('drops its oldest files and goes on, and what is left is whole', () => {
  using log = openLogWriter(path, rotation)
  expect(write(log, 350)).toBeUndefined()
  expect(listSegments(path)).toHaveLength(4)
  fill(join(dir.path, 'disk', 'other'))
  expect(write(log, 200)).toBeUndefined()
  const [oldest] = listSegments(path)
  expect(oldest?.begin.stdout).toBeGreaterThan(100_000)
  expect(log.totals.stdout).toBe(550_000)
  const {offset, bytes} = createOutputReader(path).read('stdout', 0, 1_000_000)
  expect(offset).toBe(oldest?.begin.stdout)
  expect(bytes.toString().split('\n').slice(0, -1).map(Number.parseFloat)).toEqual(
    Array.from({length: bytes.length / 1_000}, (_, index) => offset / 1_000 + index),
  )
  using again = openLogWriter(path, rotation)
  expect(again.totals.stdout).toBe(550_000)
})

test('keeps what a reader needs, and stops until there is room', () => {
  using log = openLogWriter(path, {...rotation, wanted: () => ({stdout: 0, stderr: 0})})
  expect(write(log, 350)).toBeUndefined()
  const other = join(dir.path, 'disk', 'other')
  fill(other)
  expect(write(log, 200)).toMatchObject({code: 'HOST_EXHAUSTED'})
  expect(listSegments(path)[0]?.begin.stdout).toBe(0)
  rmSync(other)
  expect(write(log, 10)).toBeUndefined()
})

test('of one file stops, since nothing older can be dropped', () => {
  using log = openLogWriter(path, rotation)
  expect(write(log, 50)).toBeUndefined()
  fill(join(dir.path, 'disk', 'other'))
  expect(write(log, 200)).toMatchObject({code: 'HOST_EXHAUSTED'})
  expect(listSegments(path)).toHaveLength(1)
})

import {appendFileSync, readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import type {StreamName} from '../../../src/stdio/streams.ts'
import {encodeChunk} from '../../../src/stdio/cri-log.ts'
import {openLogWriter} from '../../../src/stdio/log-writer.ts'
import {makeTempDir} from '../support/temp-dir.ts'

const atMs = Date.parse('2026-01-02T03:04:05.123Z')
const chunk = (text: string, stream: StreamName = 'stdout') => ({stream, atMs, bytes: Buffer.from(text)})

describe('the writer of a log', () => {
  it('creates it with access for the owner only, and counts from zero', () => {
    using dir = makeTempDir()
    const path = join(dir.path, 'log')
    using log = openLogWriter(path)
    expect(log.totals).toEqual({stdout: 0, stderr: 0})
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('appends an encoded chunk and counts its bytes', () => {
    using dir = makeTempDir()
    const path = join(dir.path, 'log')
    using log = openLogWriter(path)
    expect(log.append(chunk('a\nb'))).toBeUndefined()
    expect(log.append(chunk('oops\n', 'stderr'))).toBeUndefined()
    expect(log.totals).toEqual({stdout: 3, stderr: 5})
    expect(readFileSync(path)).toEqual(Buffer.concat([encodeChunk(chunk('a\nb')), encodeChunk(chunk('oops\n', 'stderr'))]))
  })

  it('continues with the totals of an existing log', () => {
    using dir = makeTempDir()
    const path = join(dir.path, 'log')
    {
      using log = openLogWriter(path)
      log.append(chunk('abc'))
      log.append(chunk('de\n', 'stderr'))
    }
    using log = openLogWriter(path)
    expect(log.totals).toEqual({stdout: 3, stderr: 3})
    log.append(chunk('\n'))
    expect(log.totals).toEqual({stdout: 4, stderr: 3})
  })

  it('truncates only a torn last line, wherever it was torn', () => {
    using dir = makeTempDir()
    const path = join(dir.path, 'log')
    const whole = encodeChunk(chunk('first\n'))
    const last = encodeChunk(chunk('second'))
    fc.assert(
      fc.property(fc.integer({min: 1, max: last.length - 1}), (length) => {
        writeFileSync(path, whole)
        appendFileSync(path, last.subarray(0, length))
        using log = openLogWriter(path)
        expect(log.totals).toEqual({stdout: 6, stderr: 0})
        expect(readFileSync(path)).toEqual(whole)
        log.append(chunk('again\n'))
        expect(readFileSync(path)).toEqual(Buffer.concat([whole, encodeChunk(chunk('again\n'))]))
      }),
      {numRuns: 30},
    )
  })

  it('keeps a foreign line and does not count it', () => {
    using dir = makeTempDir()
    const path = join(dir.path, 'log')
    writeFileSync(path, Buffer.concat([Buffer.from('a stranger\n'), encodeChunk(chunk('x'))]))
    using log = openLogWriter(path)
    expect(log.totals).toEqual({stdout: 1, stderr: 0})
    expect(readFileSync(path, 'utf8')).toMatch(/^a stranger\n/)
  })

  it('has room as long as no file with wanted output must be deleted, and without limit when none is wanted', () => {
    using dir = makeTempDir()
    let wanted: {stdout: number; stderr: number} | undefined = {stdout: 0, stderr: 0}
    using log = openLogWriter(join(dir.path, 'log'), {maxBytes: 10_000, maxFiles: 2, wanted: () => wanted})
    const line = chunk(`${'x'.repeat(99)}\n`)
    const fill = () => {
      for (let count = 0; log.hasRoom(100); count += 1) {
        if (count > 1_000) return 'no end'
        log.append(line)
      }
      return log.totals.stdout
    }
    const first = fill()
    // The first file, and the second up to the largest encoding of 100 bytes.
    expect(first).toBeGreaterThan(9_000)
    expect(readdirSync(dir.path).sort()).toEqual(['log', 'log.1', 'log.places'])
    wanted = {stdout: 1_000, stderr: 0}
    expect(fill()).toBe(first)
    wanted = {stdout: Number(first), stderr: 0}
    expect(fill()).toBeGreaterThan(Number(first) + 4_000)
    wanted = undefined
    expect(fill()).toBe('no end')
  })
})

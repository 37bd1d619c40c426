import {appendFileSync} from 'node:fs'
import {join} from 'node:path'
import {beforeAll, expect, it} from 'vitest'
import {createLogTotals} from '../../../src/observation/log-totals.ts'
import {encodeChunk} from '../../support/encode-chunk.ts'
import {appendToLog, buildShimTests} from '../../support/shim-log.ts'
import {makeTempDir} from '../../support/temp-dir.ts'

beforeAll(buildShimTests)

const line = (text: string, stream: 'stdout' | 'stderr' = 'stdout') => encodeChunk({stream, atMs: 0, bytes: Buffer.from(text)})

it('counts the bytes of each stream, and later those that were added', async () => {
  await using dir = makeTempDir()
  const log = join(dir.path, 'log')
  const totals = createLogTotals()
  expect(totals.read('a', log)).toMatchObject({stdout: 0, stderr: 0})
  appendFileSync(log, Buffer.concat([line('one\n'), line('err\n', 'stderr'), line('no newline')]))
  expect(totals.read('a', log)).toMatchObject({stdout: 14, stderr: 4})
  // A line that is being written does not count yet.
  const whole = line('two\n')
  appendFileSync(log, whole.subarray(0, 10))
  expect(totals.read('a', log)).toMatchObject({stdout: 14, stderr: 4})
  appendFileSync(log, whole.subarray(10))
  expect(totals.read('a', log)).toMatchObject({stdout: 18, stderr: 4})
})

it('counts on over files that have been begun since', async () => {
  await using dir = makeTempDir()
  const log = join(dir.path, 'log')
  const totals = createLogTotals()
  appendFileSync(log, line('one\n'))
  expect(totals.read('a', log)).toMatchObject({stdout: 4})
  for (const [index, text] of ['two\n', 'three\n', 'four\n'].entries()) {
    // Each line in a file of its own.
    appendToLog(log, [{stream: 'stdout', bytes: Buffer.from(text)}], {maxBytes: 1, maxFiles: 2})
    // One that has counted before, and one that has not.
    expect(totals.read('a', log)).toMatchObject({stdout: [8, 14, 19][index]})
    expect(totals.read(`new ${index}`, log)).toMatchObject({stdout: [8, 14, 19][index]})
  }
})

it('does not count what would take too long, and counts anew for another process', async () => {
  await using dir = makeTempDir()
  const log = join(dir.path, 'log')
  appendFileSync(log, line('one\n'))
  expect(createLogTotals(10).read('a', log)).toBeUndefined()
  const totals = createLogTotals(1_000)
  expect(totals.read('a', log)).toMatchObject({stdout: 4})
  expect(totals.read('b', log)).toMatchObject({stdout: 4})
})

import {appendFileSync} from 'node:fs'
import {join} from 'node:path'
import {expect, it} from 'vitest'
import {createLogTotals} from '../../../src/observation/log-totals.ts'
import {encodeChunk} from '../../../src/stdio/cri-log.ts'
import {findEnd} from '../../../src/stdio/log-file.ts'
import {rotate} from '../../../src/stdio/log-segments.ts'
import {makeTempDir} from '../../support/temp-dir.ts'

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
    const stdout = totals.read('a', log)?.stdout ?? 0
    rotate(log, 2, {position: findEnd(log), stdout, stderr: 0})
    appendFileSync(log, line(text))
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

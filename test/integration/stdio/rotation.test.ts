import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {expect, test} from 'vitest'
import {openContainerStdio} from '../../../src/stdio/fifo-stdio.ts'
import {listSegments} from '../../../src/stdio/log-segments.ts'
import {expectNothingLeft} from '../../support/leaks.ts'
import {makeTempDir} from '../../support/temp-dir.ts'

test('every line of a flood is in the files once, and reported once, over many rotations', async () => {
  await using dir = makeTempDir()
  const lines = 1_000_000
  const told: Buffer[] = []
  const stdio = await openContainerStdio({
    fifoDir: join(dir.path, 'io'),
    logFile: join(dir.path, 'log'),
    rotation: {maxBytes: 4 * 1024 * 1024, maxFiles: 1_000},
    now: Date.now,
    onOutput: ({bytes}) => told.push(Buffer.from(bytes)),
  })
  const begin = performance.now()
  // Lines of 40 bytes: 40 MB in all.
  const child = spawn('sh', ['-c', `seq -f 'line number %027.0f' 1 ${lines}`], {stdio: [...stdio.childFds]})
  stdio.releaseChildFds()
  expect(await once(child, 'exit')).toEqual([0, null])
  const {stdout} = await stdio.drain()
  const seconds = (performance.now() - begin) / 1000
  await stdio[Symbol.asyncDispose]()
  expect(stdout).toBe(40 * lines)
  // The least that is promised; a figure of this machine is in the report of the benchmark.
  expect(stdout / seconds).toBeGreaterThan(10_000_000)

  const segments = listSegments(join(dir.path, 'log'))
  expect(segments.length).toBeGreaterThan(10)
  const text = segments
    .flatMap(({path}) => readFileSync(path, 'latin1').trimEnd().split('\n'))
    .map((line) => line.replace(/^\S+ stdout P /, '').replace(/^\S+ stdout F (.*)$/, '$1\n'))
    .join('')
  const numbers = text.match(/(?<=line number )\d+$/gm) ?? []
  expect(numbers.length).toBe(lines)
  expect(numbers.findIndex((number, index) => Number(number) !== index + 1)).toBe(-1)
  const heard = Buffer.concat(told).toString('latin1').trimEnd().split('\n')
  expect(heard.length).toBe(lines)
  expect(heard.findIndex((line, index) => Number(line.slice('line number '.length)) !== index + 1)).toBe(-1)
  await expectNothingLeft({dir: dir.path})
})

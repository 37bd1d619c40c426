import {execFileSync, spawn} from 'node:child_process'
import {once} from 'node:events'
import {mkdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {afterEach, beforeEach, expect, test} from 'vitest'
import type {ContainerStdio} from '../../../src/stdio/container-stdio.ts'
import {openContainerStdio} from '../../../src/stdio/fifo-stdio.ts'
import {createOutputReader} from '../../../src/stdio/output-reader.ts'
import {expectNothingLeft} from '../../support/leaks.ts'
import {makeTempDir, type TempDir} from '../../support/temp-dir.ts'

const expected = Array.from({length: 30_000}, (_, index) => `line ${index}\n`).join('')
const script = 'i=0; while [ $i -lt 30000 ]; do echo "line $i"; i=$((i+1)); done'
let dir: TempDir
let disk: string
let stdio: ContainerStdio
let offsets: {readonly offset: number; readonly length: number}[]

beforeEach(async () => {
  dir = makeTempDir()
  disk = join(dir.path, 'disk')
  mkdirSync(disk)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tally-test', disk])
  offsets = []
  stdio = await openContainerStdio({
    fifoDir: join(dir.path, 'io'),
    logFile: join(disk, 'log'),
    now: Date.now,
    onOutput: ({offset, bytes}) => offsets.push({offset, length: bytes.length}),
  })
})

afterEach(async () => {
  await stdio[Symbol.asyncDispose]()
  execFileSync('umount', [disk])
  await expectNothingLeft({dir: dir.path})
  await dir[Symbol.asyncDispose]()
})

function startContainer() {
  const child = spawn('sh', ['-c', script], {stdio: [...stdio.childFds]})
  stdio.releaseChildFds()
  return {child, ended: once(child, 'exit')}
}

/**
 * Nothing has been logged for half a second: longer than a retry takes. The disk holds more than the pipe does, so that the
 * first read, be it of a full pipe, fits.
 */
async function untilStuck(): Promise<void> {
  for (let before = -1; stdio.totals.stdout !== before || before === 0; await sleep(500)) before = stdio.totals.stdout
}

test('a full disk stops the reading, and the container waits; with room again nothing is lost, doubled or torn', async () => {
  const {child, ended} = startContainer()
  await untilStuck()
  expect(child.exitCode).toBeNull()
  expect(stdio.totals.stdout).toBeLessThan(256 * 1024)
  expect(readFileSync(join(disk, 'log'), 'latin1').endsWith('\n')).toBe(true)

  execFileSync('mount', ['-o', 'remount,size=4m', disk])
  expect(await ended).toEqual([0, null])
  expect(await stdio.drain()).toEqual({stdout: expected.length, stderr: 0})
  expect(
    createOutputReader(join(disk, 'log'))
      .read('stdout', 0, 2 * expected.length)
      .bytes.toString() === expected,
  ).toBe(true)
  let next = 0
  for (const {offset, length} of offsets) {
    expect(offset).toBe(next)
    next += length
  }
  expect(next).toBe(expected.length)
})

test('a drain waits for the disk, and then has all that the container left in the pipe', async () => {
  const {child, ended} = startContainer()
  await untilStuck()
  child.kill('SIGKILL')
  await ended
  const before = stdio.totals.stdout
  const drained = stdio.drain()
  await sleep(300)
  expect(stdio.totals.stdout).toBe(before)
  execFileSync('mount', ['-o', 'remount,size=4m', disk])
  const {stdout} = await drained
  expect(stdout).toBeGreaterThan(before + 60_000)
  const log = createOutputReader(join(disk, 'log')).read('stdout', 0, expected.length).bytes.toString()
  expect(log === expected.slice(0, stdout)).toBe(true)
})

test('a drain that is given up says how much was', async () => {
  const {child, ended} = startContainer()
  await untilStuck()
  child.kill('SIGKILL')
  await ended
  const drained = stdio.drain()
  const refused = expect(drained).rejects.toMatchObject({
    code: 'STDIO_FAILED',
    message: expect.stringMatching(/\d+ bytes of stdout were given up/),
  })
  await sleep(300)
  await stdio[Symbol.asyncDispose]()
  await refused
})

import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {closeSync, constants, existsSync, openSync, readFileSync, statSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {afterEach, beforeEach, expect, test} from 'vitest'
import {bytesInPipe} from '../../../src/linux/pipe.ts'
import type {ContainerStdio} from '../../../src/stdio/container-stdio.ts'
import type {OutputChunk, StreamName} from '../../../src/stdio/streams.ts'
import {decodeLine} from '../../support/decode-line.ts'
import {openContainerStdio} from '../../../src/stdio/fifo-stdio.ts'
import {makeTempDir, type TempDir} from '../../support/temp-dir.ts'

let dir: TempDir
let chunks: OutputChunk[]
let opened: ContainerStdio[]

beforeEach(() => {
  dir = makeTempDir()
  chunks = []
  opened = []
})

afterEach(async () => {
  for (const stdio of opened) await stdio[Symbol.asyncDispose]()
  await dir[Symbol.asyncDispose]()
})

const fifoDir = () => join(dir.path, 'io')
const logFile = () => join(dir.path, 'log')

async function open(): Promise<ContainerStdio> {
  const onOutput = (chunk: OutputChunk) => chunks.push({...chunk, bytes: Buffer.from(chunk.bytes)})
  const stdio = await openContainerStdio({fifoDir: fifoDir(), logFile: logFile(), now: Date.now, onOutput})
  opened.push(stdio)
  return stdio
}

/** A container: it inherits the descriptors, and writes. */
function run(stdio: ContainerStdio, script: string) {
  const child = spawn('sh', ['-c', script], {stdio: [...stdio.childFds]})
  return {child, ended: once(child, 'exit')}
}

function told(stream: StreamName): string {
  const own = chunks.filter((chunk) => chunk.stream === stream)
  let offset = 0
  for (const chunk of own) {
    expect(chunk.offset).toBe(offset)
    offset += chunk.bytes.length
  }
  return Buffer.concat(own.map(({bytes}) => bytes)).toString()
}

function logged(stream: StreamName): string {
  const lines = readFileSync(logFile(), 'latin1').split('\n').slice(0, -1)
  const entries = lines.map((line) => {
    const entry = decodeLine(Buffer.from(line, 'latin1'))
    if (!entry) throw new Error(`not a line of a log: ${line.slice(0, 100)}`)
    return entry
  })
  return Buffer.concat(entries.filter((entry) => entry.stream === stream).map(({bytes}) => bytes)).toString()
}

test('what a container writes is reported with offsets without gaps, and is in the log: stdout and stderr apart', async () => {
  const stdio = await open()
  const {ended} = run(stdio, 'echo out 1; echo err 1 >&2; printf "no newline"; echo err 2 >&2; echo " yet"')
  stdio.releaseChildFds()
  await ended
  const totals = await stdio.drain()
  expect([told('stdout'), told('stderr')]).toEqual(['out 1\nno newline yet\n', 'err 1\nerr 2\n'])
  expect([logged('stdout'), logged('stderr')]).toEqual([told('stdout'), told('stderr')])
  expect(totals).toEqual({stdout: 21, stderr: 12})
})

test('a chunk is in the log before it is reported', async () => {
  const seen: boolean[] = []
  const stdio = await openContainerStdio({
    fifoDir: fifoDir(),
    logFile: logFile(),
    now: Date.now,
    onOutput: ({bytes}) => seen.push(readFileSync(logFile()).includes(Buffer.from(bytes).subarray(0, 5))),
  })
  opened.push(stdio)
  await run(stdio, 'echo hello').ended
  await stdio.drain()
  expect(seen).toEqual([true])
})

test('bytes that are no text come back as they were', async () => {
  const stdio = await open()
  const everyByte = Buffer.from(Array.from({length: 256}, (_, byte) => byte))
  writeFileSync(join(dir.path, 'bytes'), everyByte)
  await run(stdio, `cat ${join(dir.path, 'bytes')}`).ended
  await stdio.drain()
  expect(Buffer.concat(chunks.map(({bytes}) => bytes))).toEqual(everyByte)
  expect(Buffer.from(logged('stdout'))).toEqual(Buffer.from(everyByte.toString()))
})

test('more than a pipe holds comes whole while the container writes on', async () => {
  const stdio = await open()
  const {ended} = run(stdio, 'i=0; while [ $i -lt 20000 ]; do echo "line $i of many"; i=$((i+1)); done')
  await ended
  const {stdout} = await stdio.drain()
  const expected = Array.from({length: 20_000}, (_, index) => `line ${index} of many\n`).join('')
  expect(stdout).toBe(expected.length)
  expect(told('stdout') === expected).toBe(true)
  expect(logged('stdout') === expected).toBe(true)
})

test('drain empties the pipe, even of what was written in the very turn before it', async () => {
  const stdio = await open()
  const [, stdout, stderr] = stdio.childFds
  writeFileSync(stdout, 'x'.repeat(60_000))
  writeFileSync(stderr, 'the end')
  expect(await stdio.drain()).toEqual({stdout: 60_000, stderr: 7})
  expect(await stdio.drain()).toEqual({stdout: 60_000, stderr: 7})
  expect([told('stdout').length, told('stderr'), logged('stderr')]).toEqual([60_000, 'the end', 'the end'])
})

test('a supervisor that dies leaves what is in the pipe to the next, whose offsets go on where the last one ended', async () => {
  const first = await open()
  const gate = join(dir.path, 'gate')
  const {ended} = run(first, `echo one; until [ -e ${gate} ]; do sleep 0.01; done; echo two; echo oops >&2; sleep 0.2; echo three`)
  first.releaseChildFds()
  await expect.poll(() => told('stdout'), {interval: 5}).toBe('one\n')
  await first[Symbol.asyncDispose]()
  writeFileSync(gate, '')
  const witness = openSync(join(fifoDir(), 'stderr'), constants.O_RDWR)
  await expect.poll(() => bytesInPipe(witness), {interval: 5}).toBe(5)
  closeSync(witness)
  expect(logged('stdout')).toBe('one\n')

  const second = await open()
  expect(second.totals).toEqual({stdout: 4, stderr: 0})
  expect(await ended).toEqual([0, null])
  expect(await second.drain()).toEqual({stdout: 14, stderr: 5})
  expect([told('stdout'), told('stderr')]).toEqual(['one\ntwo\nthree\n', 'oops\n'])
  expect([logged('stdout'), logged('stderr')]).toEqual([told('stdout'), told('stderr')])
})

test('without a reader the container neither dies nor waits, as long as the pipe has room', async () => {
  const first = await open()
  const {ended} = run(first, 'sleep 0.1; head -c 60000 /dev/zero')
  const witness = openSync(join(fifoDir(), 'stdout'), constants.O_RDWR)
  await first[Symbol.asyncDispose]()
  expect(await ended).toEqual([0, null])
  expect(bytesInPipe(witness)).toBe(60_000)
  const second = await open()
  closeSync(witness)
  expect(await second.drain()).toEqual({stdout: 60_000, stderr: 0})
})

test('the FIFOs and the log are not readable for other users, stdin is empty, and the descriptors are closed once', async () => {
  const stdio = await open()
  const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)
  expect([mode(fifoDir()), mode(join(fifoDir(), 'stdout')), mode(join(fifoDir(), 'stderr')), mode(logFile())]).toEqual([
    '700',
    '600',
    '600',
    '600',
  ])
  const [code] = await run(stdio, 'read line && exit 1; exit 0').ended
  expect(code).toBe(0)
  stdio.releaseChildFds()
  stdio.releaseChildFds()
})

test('removing takes the FIFOs and leaves the log', async () => {
  const stdio = await open()
  await run(stdio, 'echo kept').ended
  await stdio.drain()
  await stdio[Symbol.asyncDispose]()
  await stdio.remove()
  await stdio.remove()
  expect([existsSync(fifoDir()), logged('stdout')]).toEqual([false, 'kept\n'])
})

test('a log that cannot be opened is STDIO_FAILED', async () => {
  const options = {fifoDir: fifoDir(), logFile: join(dir.path, 'missing/log'), now: Date.now, onOutput: () => {}}
  await expect(openContainerStdio(options)).rejects.toMatchObject({code: 'STDIO_FAILED', kind: 'unavailable'})
})

import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {closeSync, constants, openSync, writeFileSync, readdirSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {expect, test} from 'vitest'
import {openContainerStdio} from '../../../src/stdio/fifo-stdio.ts'
import {createOutputReader} from '../../../src/stdio/output-reader.ts'
import {makeTempDir} from '../../support/temp-dir.ts'

const program = join(import.meta.dirname, '../../fixtures/programs/read-output.ts')

test('a flood is in the log once and whole, though its reader is killed again and again', async () => {
  await using dir = makeTempDir()
  const options = {fifoDir: join(dir.path, 'io'), logFile: join(dir.path, 'log'), now: Date.now, onOutput: () => {}}
  const first = await openContainerStdio(options)
  const held = ['stdout', 'stderr'].map((name) => openSync(join(dir.path, 'io', name), constants.O_RDWR))
  // As fast as it is read, which is when a kill most likely comes between reading and writing.
  const writer = spawn('sh', ['-c', "seq -f 'line %09.0f' 1 2000000"], {stdio: [...first.childFds]})
  const ended = once(writer, 'exit')
  await first[Symbol.asyncDispose]()
  for (let kills = 0; kills < 12; kills += 1) {
    const reader = spawn(process.execPath, [program, dir.path], {stdio: ['ignore', 'pipe', 'inherit']})
    await once(reader.stdout, 'data')
    await sleep(3 + 7 * kills)
    reader.kill('SIGKILL')
    await once(reader, 'exit')
  }
  expect(writer.exitCode).toBeNull()
  writer.kill('SIGKILL')
  await ended
  const last = await openContainerStdio(options)
  const {stdout} = await last.drain()
  await last[Symbol.asyncDispose]()
  for (const fd of held) closeSync(fd)
  expect(stdout).toBeGreaterThan(1_000_000)
  const wanted = Buffer.from(
    Array.from({length: Math.ceil(stdout / 15)}, (_, index) => `line ${String(index + 1).padStart(9, '0')}\n`).join(''),
  )
  const {bytes} = createOutputReader(join(dir.path, 'log')).read('stdout', 0, stdout)
  expect(bytes.equals(wanted.subarray(0, stdout))).toBe(true)
})

test('what had left the pipe and was not in the log when the reader was killed is logged by the next', async () => {
  await using dir = makeTempDir()
  const options = {fifoDir: join(dir.path, 'io'), logFile: join(dir.path, 'log'), now: Date.now, onOutput: () => {}}
  const first = await openContainerStdio(options)
  await first[Symbol.asyncDispose]()
  writeFileSync(join(dir.path, 'log'), '2026-01-02T03:04:05.123000000+00:00 stdout F one\n')
  writeFileSync(join(dir.path, 'stdout.spool'), '\0\0\0\0two\n')
  const second = await openContainerStdio(options)
  expect(await second.drain()).toEqual({stdout: 8, stderr: 0})
  await second[Symbol.asyncDispose]()
  expect(createOutputReader(join(dir.path, 'log')).read('stdout', 0, 100).bytes.toString()).toBe('one\ntwo\n')
})

test('a spool without its FIFO was left by another boot, and is no output', async () => {
  await using dir = makeTempDir()
  writeFileSync(join(dir.path, 'stdout.spool'), '\0\0\0\0')
  const stdio = await openContainerStdio({fifoDir: join(dir.path, 'io'), logFile: join(dir.path, 'log'), now: Date.now, onOutput: () => {}})
  expect(await stdio.drain()).toEqual({stdout: 0, stderr: 0})
  await stdio[Symbol.asyncDispose]()
  await stdio.remove()
  expect(readdirSync(dir.path)).toEqual(['log'])
})

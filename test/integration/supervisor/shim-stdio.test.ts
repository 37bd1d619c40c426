/** What a supervisor has of the standard streams of a process, with a real shim that holds them. */
import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {existsSync, readdirSync, statSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {expect, test} from 'vitest'
import {createOutputReader} from '../../../src/stdio/output-reader.ts'
import type {InputAccount, NewProcessStdio, ProcessStdioOptions} from '../../../src/stdio/process-stdio-port.ts'
import {createShimStdios} from '../../../src/stdio/shim-stdio.ts'
import {openShimHarness, type ShimHarness, type TestSupervisor} from '../../support/shim-harness.ts'

const soon = {interval: 5, timeout: 10_000}

function openStdios({dir}: ShimHarness, {shim, growths}: TestSupervisor) {
  const stdios = createShimStdios({
    shim,
    listenToGrowths: (listener) => {
      // Those that the harness collects, as they come.
      const push = growths.push.bind(growths)
      growths.push = (...more) => {
        for (const growth of more) listener(growth)
        return push(...more)
      }
    },
  })
  const options = (fields: Partial<ProcessStdioOptions> = {}): ProcessStdioOptions => ({
    name: 'init',
    dir: join(dir, 'io'),
    logFile: join(dir, 'state', 'log'),
    stdin: true,
    terminal: false,
    onGrew: () => {},
    ...fields,
  })
  return {stdios, options}
}

/** A process that inherits the descriptors, as that of a runtime does. */
async function start(stdio: NewProcessStdio, script: string) {
  if (stdio.forRuntime.type !== 'pipes') throw new Error('expected pipes')
  const child = spawn('sh', ['-c', script], {stdio: [...stdio.forRuntime.fds]})
  const ended = once(child, 'exit')
  await stdio.handOver()
  return {child, ended}
}

/** Puts down how many bytes were accepted. */
function createAccount(): InputAccount & {readonly taken: (bytes: number) => void; readonly counts: {sent: number; taken: number}} {
  const counts = {sent: 0, taken: 0}
  return {
    counts,
    toCookie: (bytes) => {
      counts.sent += bytes
      return Buffer.from(String(counts.sent))
    },
    taken: (bytes) => {
      counts.taken += bytes
    },
  }
}

test('a process reads what is written, in order, up to its end, and its output is in the log', async () => {
  await using harness = await openShimHarness()
  const {stdios, options} = openStdios(harness, await harness.next())
  const stdio = await stdios.open(options())
  const {ended} = await start(stdio, 'cat; echo over >&2')
  const account = createAccount()
  const text = Array.from({length: 40_000}, (_, index) => `${index}\n`).join('')
  // Larger than a frame takes, and not waited for one by one.
  const writes = [text.slice(0, 100_000), text.slice(100_000)].map((piece) => stdio.write(Buffer.from(piece), account))
  await stdio.closeInput()
  await Promise.all(writes)
  expect(account.counts).toEqual({sent: text.length, taken: text.length})
  expect(await ended).toEqual([0, null])
  expect(await stdio.drain()).toMatchObject({stdout: text.length, stderr: 5})
  expect(stdio.progress).toMatchObject({stdout: text.length, stderr: 5})
  const {logFile} = options()
  expect(createOutputReader(logFile).read('stdout', 0, 1_000_000).bytes.toString() === text).toBe(true)
  await expect(stdio.write(Buffer.from('x'), account)).rejects.toMatchObject({code: 'STDIN_CLOSED'})
  expect(await stdio.close()).toEqual({stdout: 0, stderr: 0})
  stdio.remove()
  stdio.remove()
  expect([existsSync(options().dir), readdirSync(join(logFile, '..'))]).toEqual([false, ['log']])
})

test('FIFOs and the log are not readable for other users, an input that nobody wants is empty, and descriptors are closed', async () => {
  await using harness = await openShimHarness()
  const {stdios, options} = openStdios(harness, await harness.next())
  const descriptors = () => readdirSync('/proc/self/fd').length
  const before = descriptors()
  const stdio = await stdios.open(options({stdin: false}))
  const mode = (path: string) => statSync(path).mode & 0o777
  const {dir, logFile} = options()
  expect([mode(dir), mode(join(dir, 'stdout')), mode(join(dir, 'stderr')), mode(logFile)]).toEqual([0o700, 0o600, 0o600, 0o600])
  const {ended} = await start(stdio, 'read line && exit 1; exit 0')
  expect(await ended).toEqual([0, null])
  expect(descriptors()).toBe(before)
  await stdio.close()
})

test('who follows is told once that the log has grown', async () => {
  await using harness = await openShimHarness()
  const {stdios, options} = openStdios(harness, await harness.next())
  const told: number[] = []
  const stdio = await stdios.open(options({onGrew: ({stdout}) => told.push(stdout)}))
  const {child} = await start(stdio, 'read a; echo one; read b; echo two; read c')
  const account = createAccount()
  expect((await stdio.follow(0)).position).toBe(0)
  await stdio.write(Buffer.from('a\n'), account)
  await expect.poll(() => told, soon).toEqual([4])
  await stdio.write(Buffer.from('b\n'), account)
  await expect.poll(async () => (await stdio.follow(undefined)).stdout, soon).toBe(8)
  expect(told).toEqual([4])
  await stdio.write(Buffer.from('c\n'), account)
  await once(child, 'exit')
  await stdio.close()
})

test('the next supervisor has the streams with what was accepted, and closes those that it does not open again', async () => {
  await using harness = await openShimHarness()
  const first = await harness.next()
  const former = openStdios(harness, first)
  const stdio = await former.stdios.open(former.options())
  await former.stdios.open(former.options({name: 'exec/a', dir: join(harness.dir, 'io-a'), logFile: join(harness.dir, 'state-a', 'log')}))
  const {ended} = await start(stdio, 'cat')
  await stdio.write(Buffer.from('one\n'), createAccount())
  first.kill()
  const second = await harness.next()
  const {stdios, options} = openStdios(harness, second)
  const again = await stdios.reopen(options())
  stdios.settle()
  expect(Buffer.from(again.cookie).toString()).toBe('4')
  // The piece of the one before may still be on its way: it is not refused.
  await again.write(Buffer.from('two\n'), createAccount())
  await again.closeInput()
  expect(await ended).toEqual([0, null])
  expect(await again.drain()).toMatchObject({stdout: 8})
  await again.close()
  expect((await second.shim.call('status', {follow: false})).stdios).toBe(0)
})

test('input goes on behind a piece of the supervisor before that is still being taken', async () => {
  await using harness = await openShimHarness()
  const first = await harness.next()
  const former = openStdios(harness, first)
  const stdio = await former.stdios.open(former.options())
  const {ended} = await start(stdio, 'sleep 0.7; wc -c')
  const bytes = Buffer.alloc(16 * 1024)
  const account = createAccount()
  for (let index = 0; index < 4; index += 1) await stdio.write(bytes, account)
  stdio.write(bytes, account).catch(() => {})
  await first.shim.call('status', {follow: false})
  first.kill()
  const {stdios, options} = openStdios(harness, await harness.next())
  const again = await stdios.reopen(options())
  expect(Buffer.from(again.cookie).toString()).toBe(String(5 * bytes.length))
  await again.write(Buffer.from('end'), createAccount())
  await again.closeInput()
  expect(await ended).toEqual([0, null])
  await again.drain()
  expect(createOutputReader(options().logFile).read('stdout', 0, 100).bytes.toString().trim()).toBe(String(5 * bytes.length + 3))
  await again.close()
})

test('what cannot be opened is STDIO_FAILED', async () => {
  await using harness = await openShimHarness()
  const {stdios, options} = openStdios(harness, await harness.next())
  const file = join(harness.dir, 'file')
  writeFileSync(file, '')
  await expect(stdios.open(options({logFile: join(file, 'log')}))).rejects.toMatchObject({code: 'STDIO_FAILED', kind: 'unavailable'})
  const stdio = await stdios.open(options({terminal: true}))
  await expect(stdio.handOver()).rejects.toMatchObject({code: 'STDIO_FAILED'})
  await stdio.close()
})

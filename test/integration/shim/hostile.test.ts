/** What a supervisor, a client or a process may do that none of ours does: nobody waits for an answer for ever, and the shim goes on. */
import {execFileSync} from 'node:child_process'
import {once} from 'node:events'
import {readdirSync, readFileSync} from 'node:fs'
import {connect, type Socket} from 'node:net'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {expect, test} from 'vitest'
import {createFrameSplitter, encodeFrame} from '../../../src/shim/client/codec.ts'
import {messages, requests} from '../../../src/shim/client/frames.ts'
import {openShimHarness, shimProgram} from '../../support/shim-harness.ts'
import {openStdio} from '../../support/shim-stdio.ts'

const soon = {interval: 5, timeout: 10_000}
const none = Buffer.alloc(0)

/** How each of several requests is answered: `ok`, or by an errno. */
async function settle(calls: readonly Promise<unknown>[]): Promise<readonly string[]> {
  const call = (one: Promise<unknown>) =>
    one.then(
      () => 'ok',
      (error: {code: string}) => error.code,
    )
  return await Promise.all(calls.map((one) => within(call(one), 'no answer')))
}

async function within<T>(promise: Promise<T>, otherwise: T): Promise<T> {
  return await Promise.race([promise, sleep(5_000, otherwise, {ref: false})])
}

const limitFiles = (pid: number, count: number) => execFileSync('prlimit', [`--nofile=${count}:`, '--pid', String(pid)])
const countFiles = (pid: number) => readdirSync(`/proc/${pid}/fd`).length
/** Clock ticks of CPU time (proc_pid_stat(5), fields 14 and 15). */
const cpuTicks = (pid: number) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return Number(fields[11]) + Number(fields[12])
}

test('each of many inputs and drains that are sent at once is answered', async () => {
  await using harness = await openShimHarness()
  const supervisor = await harness.next()
  const {shim} = supervisor
  const io = await openStdio(harness, supervisor, {input: true})
  await io.watch('cat')
  await shim.call('handOver', {stdio: 0})
  const inputs = Array.from({length: 5}, (_, index) => shim.call('input', {stdio: 0, cookie: none, bytes: Buffer.from(`${index}\n`)}))
  expect(await settle(inputs)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok'])
  await shim.call('closeInput', {stdio: 0})
  await expect.poll(() => supervisor.exits.length, soon).toBe(1)
  expect(await settle(Array.from({length: 3}, () => shim.call('drain', {stdio: 0})))).not.toContain('no answer')
  expect(io.text()).toBe('0\n1\n2\n3\n4\n')
})

test.each(['discard', 'close'] as const)('whoever waits for input and a drain is told when it is over by %s', async (how) => {
  await using harness = await openShimHarness()
  const supervisor = await harness.next()
  const {shim} = supervisor
  const io = await openStdio(harness, supervisor, {input: true, maxBytes: 200, maxFiles: 2})
  // Nothing may be dropped: so the drain waits.
  await shim.call('holdOutput', {stdio: 0, untilMs: Number(process.hrtime.bigint() / 1_000_000n) + 600_000, stdout: 0, stderr: 0})
  const pid = await io.orphan('seq 1000; exec sleep 1000')
  await shim.call('handOver', {stdio: 0})
  await expect.poll(() => io.text(), soon).toContain('1\n')
  for (let index = 0; index < 4; index += 1) await shim.call('input', {stdio: 0, cookie: none, bytes: Buffer.alloc(16 * 1024)})
  const waiting = [shim.call('input', {stdio: 0, cookie: none, bytes: Buffer.alloc(16 * 1024)}), shim.call('drain', {stdio: 0})]
  expect(await settle([...waiting, shim.call('drain', {stdio: 0}), shim.call(how, {stdio: 0})])).toEqual([
    'ECANCELED',
    'ECANCELED',
    'EBUSY',
    'ok',
  ])
  process.kill(pid, 'SIGKILL')
})

test('SIGTERM ends the program and its shim, whatever has not been acknowledged; until then it is told of exits', async () => {
  for (const ignored of [false, true]) {
    await using harness = await openShimHarness({
      args: ['--terminate', '--delay', '10'],
      wrap: ignored ? ['sh', '-c', 'trap "" TERM; exec "$@"', 'sh'] : [],
    })
    const {watch, exits, exit} = await harness.next()
    await watch('sleep 0.1; exit 7')
    await expect.poll(() => exits.length, soon).toBe(1)
    const pid = await watch('sleep 1000')
    process.kill(harness.pid, 'SIGTERM')
    if (ignored) {
      await sleep(50)
      process.kill(pid, 'SIGKILL')
      await expect.poll(() => exits.length, soon).toBe(2)
      exit()
    }
    expect(await within(harness.ended, null)).toBe(0)
  }
})

// Each leaves another number of descriptors over.
test.each([100, 101, 102, 103, 104])(
  'a supervisor that has opened all that it can, of %i descriptors, is replaced all the same',
  async (limit) => {
    await using harness = await openShimHarness()
    const supervisor = await harness.next()
    limitFiles(harness.pid, limit)
    const open = async (stdio: number): Promise<string> =>
      await openStdio(harness, supervisor, {stdio}).then(
        () => 'opened',
        (error: {code: string}) => error.code,
      )
    let opened = 0
    while ((await open(opened)) === 'opened') opened += 1
    expect(opened).toBeGreaterThan(3)
    const before = countFiles(harness.pid)
    expect(await open(999)).toBe('EMFILE')
    expect(countFiles(harness.pid)).toBe(before)
    supervisor.kill()
    expect((await within(harness.next(), undefined))?.shim.held).toMatchObject({deaths: 1, stdios: {length: opened}})
  },
)

test('a connection for which no descriptor is left waits, and costs nothing', async () => {
  await using harness = await openShimHarness()
  await harness.next()
  const count = countFiles(harness.pid)
  limitFiles(harness.pid, count)
  const socket = connect(harness.socketPath).on('error', () => {})
  await once(socket, 'connect')
  const before = cpuTicks(harness.pid)
  await sleep(500)
  expect(cpuTicks(harness.pid) - before).toBeLessThan(10)
  limitFiles(harness.pid, count + 50)
  socket.write(encodeFrame(requests.status.type, 1, requests.status.fields, {follow: false}))
  expect(await within(once(socket, 'data'), undefined)).toBeDefined()
  socket.destroy()
})

test('clients that are connected and silent keep nobody out, and those that follow stay', async () => {
  await using harness = await openShimHarness()
  const {kill} = await harness.next()
  using follower = await harness.control()
  const pids: (number | undefined)[] = []
  await follower.follow(({pid}) => pids.push(pid))
  const silent: Socket[] = []
  for (let index = 0; index < 100; index += 1) {
    const socket = connect(harness.socketPath).on('error', () => {})
    await once(socket, 'connect')
    silent.push(socket)
  }
  using control = await harness.control()
  expect((await control.wake()).phase).toBe('up')
  kill()
  const {pid} = await harness.next()
  await expect.poll(() => pids.at(-1), soon).toBe(pid)
  for (const socket of silent) socket.destroy()
})

test('what is asked together with an upgrade that fails is answered', async () => {
  await using harness = await openShimHarness()
  await harness.next()
  const socket = connect(harness.socketPath)
  const frames: {type: number; request: number}[] = []
  const split = createFrameSplitter()
  socket.on('data', (chunk: Buffer) => frames.push(...split(chunk).map(({type, request}) => ({type, request}))))
  const image = join(harness.dir, 'text')
  execFileSync('sh', ['-c', `echo text > ${image}; chmod +x ${image}`])
  socket.write(
    Buffer.concat([
      encodeFrame(requests.upgrade.type, 1, requests.upgrade.fields, {image}),
      encodeFrame(requests.wake.type, 2, requests.wake.fields, {force: false}),
    ]),
  )
  await expect
    .poll(() => frames, soon)
    .toEqual([
      {type: messages.error.type, request: 1},
      {type: messages.ok.type, request: 2},
    ])
  socket.destroy()
})

test('half a frame goes over an upgrade', async () => {
  await using harness = await openShimHarness()
  const {shim, socket} = await harness.next()
  const upgrade = encodeFrame(requests.upgrade.type, 1_000_000, requests.upgrade.fields, {image: shimProgram})
  const listen = encodeFrame(requests.title.type, 1_000_001, requests.title.fields, {text: 'tally-shim half'})
  socket.write(Buffer.concat([upgrade, listen.subarray(0, listen.length - 5)]))
  await sleep(200)
  socket.write(listen.subarray(listen.length - 5))
  await shim.call('status', {follow: false})
  expect(readFileSync(`/proc/${harness.pid}/cmdline`, 'latin1').replace(/\0+$/, '')).toBe('tally-shim half')
})

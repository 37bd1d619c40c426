import {execFileSync, spawn} from 'node:child_process'
import {once} from 'node:events'
import {existsSync, mkdirSync, rmSync, statSync} from 'node:fs'
import {connect} from 'node:net'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {expect, test} from 'vitest'
import type {ShimStatus} from '../../../src/shim/client/control.ts'
import {encodeFrame} from '../../../src/shim/client/codec.ts'
import {messages} from '../../../src/shim/client/frames.ts'
import {readShimVersion} from '../../../src/shim/client/version.ts'
import {orphanModes} from '../../../src/shim/client/frames.ts'
import {openShimHarness, shimProgram} from '../../support/shim-harness.ts'

const soon = {interval: 2, timeout: 5_000}
const bootMs = () => Number(process.hrtime.bigint() / 1_000_000n)

test('a supervisor is told first what shim it has, and why it was started', async () => {
  await using harness = await openShimHarness()
  const {shim} = await harness.next()
  expect(shim.held).toEqual({
    ...{protocol: 1, state: 1, features: 1, reasons: 1, pid: harness.pid, startTicks: expect.any(Number), wakes: 0},
    ...{starts: 1, deaths: 0, lastStatus: 0xffff_ffff, orphans: 0, deadlineMs: undefined, socket: harness.socketPath},
    ...{children: [], stdios: []},
  })
})

test('a supervisor that sleeps is started by a wake', async () => {
  await using harness = await openShimHarness()
  using control = await harness.control()
  const first = await harness.next()
  expect(await control.status()).toMatchObject({phase: 'up', leaving: 'stays', pid: first.pid, starts: 1})
  await first.shim.leave('sleep')
  first.exit()
  await expect.poll(async () => (await control.status()).phase, soon).toBe('asleep')
  await control.wake()
  const second = await harness.next()
  expect(second.shim.held).toMatchObject({reasons: 8, wakes: 1, starts: 2, deaths: 0})
})

test('a wake while it is up is told, and a sleep that has not seen it is refused', async () => {
  await using harness = await openShimHarness()
  using control = await harness.control()
  const supervisor = await harness.next()
  const woken = control.wake()
  const refused = supervisor.shim.leave('sleep').then(
    () => 'left',
    (error: {code: string}) => error.code,
  )
  await woken
  // Either came first; none is lost.
  if ((await refused) === 'left') {
    supervisor.exit()
    expect((await harness.next()).shim.held.reasons).toBe(8)
  } else {
    expect(await refused).toBe('EAGAIN')
    expect(supervisor.wokenCount).toBe(1)
    await supervisor.shim.leave('sleep')
  }
})

test('no wake is lost that comes while a supervisor falls asleep, a thousand times', {timeout: 300_000}, async () => {
  await using harness = await openShimHarness()
  using control = await harness.control()
  let supervisor = await harness.next()
  const seen = {told: 0, started: 0}
  for (let round = 0; round < 1_000; round += 1) {
    // What goes to sleep and what wakes are two sockets: which of them the shim reads first is chance, and so is the delay.
    const left = supervisor.shim.leave('sleep').then(
      () => true,
      () => false,
    )
    if (round % 3 === 1) await left
    if (round % 3 === 2) void left.then((isLeft) => isLeft && supervisor.exit())
    const before = supervisor.wokenCount
    const {phase} = await control.wake()
    expect(phase).not.toBe('gave-up')
    if (await left) {
      supervisor.exit()
      const next = await harness.next()
      expect(next.shim.held).toMatchObject({wakes: round + 1, deaths: 0})
      supervisor = next
      seen.started += 1
    } else {
      await expect.poll(() => supervisor.wokenCount, soon).toBe(before + 1)
      seen.told += 1
    }
  }
  expect(seen.started + seen.told).toBe(1_000)
  expect(seen.started).toBeGreaterThan(300)
})

test('a deadline starts a sleeper, and is told to one that is up', async () => {
  await using harness = await openShimHarness()
  const first = await harness.next()
  await first.shim.call('deadline', {atMs: bootMs() + 50})
  await expect.poll(() => first.dueCount, soon).toBe(1)
  await first.shim.call('deadline', {atMs: bootMs() + 200})
  await first.shim.leave('sleep')
  first.exit()
  const second = await harness.next()
  expect(second.shim.held).toMatchObject({reasons: 16, deadlineMs: undefined})
  await second.shim.call('deadline', {atMs: bootMs() + 50})
  await second.shim.call('deadline', {atMs: undefined})
  await sleep(100)
  expect(second.dueCount).toBe(0)
})

test('a supervisor that dies is started again, more and more slowly, until it is given up; by force once more', async () => {
  await using harness = await openShimHarness({args: ['--restarts', '3/60000', '--delay', '40']})
  using control = await harness.control()
  const times: number[] = []
  for (let death = 0; death < 4; death += 1) {
    const supervisor = await harness.next()
    times.push(performance.now())
    supervisor.kill()
    await supervisor.lost
  }
  await expect.poll(async () => (await control.status()).phase, soon).toBe('gave-up')
  // At once, then after 40 and 80 ms.
  expect((times[3] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(118)
  expect(await control.status()).toMatchObject({starts: 4, deaths: 4, pid: undefined, last: {type: 'signal', signalNumber: 9}})
  expect((await control.wake()).phase).toBe('gave-up')
  expect(harness.stderr()).toMatch(/gave up/)
  await control.wake({force: true})
  expect((await harness.next()).shim.held).toMatchObject({starts: 5, wakes: 2})
})

test('output goes on, and exits are kept, after a supervisor has been given up', async () => {
  await using harness = await openShimHarness({args: ['--restarts', '0/60000']})
  using control = await harness.control()
  const first = await harness.next()
  await first.watch('sleep 0.2; exit 7')
  first.kill()
  await expect.poll(async () => (await control.status()).ended, soon).toBe(1)
  expect(await control.status()).toMatchObject({phase: 'gave-up', watched: 1})
  await control.wake({force: true})
  const second = await harness.next()
  await expect.poll(() => second.exits.map(({status}) => status), soon).toEqual([{type: 'code', code: 7}])
})

test('a program that cannot be started is given up', async () => {
  await using harness = await openShimHarness({args: ['--restarts', '2/60000', '--delay', '1'], program: ['/nonexistent/supervisor']})
  using control = await harness.control()
  await expect.poll(async () => (await control.status()).phase, soon).toBe('gave-up')
  expect(await control.status()).toMatchObject({deaths: 3, last: {type: 'code', code: 127}})
  expect(harness.stderr()).toMatch(/cannot start \/nonexistent\/supervisor: No such file/)
  // The coordinator says what is to be started instead.
  await control.command(['true'])
  expect((await control.wake({force: true})).phase).not.toBe('gave-up')
})

test('what can be no frame ends the supervisor, and nothing else', async () => {
  await using harness = await openShimHarness()
  const first = await harness.next()
  const pid = await first.watch('sleep 1000')
  first.socket.write(Buffer.alloc(64, 0xff))
  await first.lost
  const second = await harness.next()
  expect(second.shim.held).toMatchObject({deaths: 1, lastStatus: 9, children: [{pid, hasEnded: false}]})
  // Half a frame, and its supervisor dies.
  second.socket.write(encodeFrame(2, 9, {pid: 'u32'}, {pid}).subarray(0, 13))
  await sleep(20)
  second.kill()
  const third = await harness.next()
  expect(third.shim.held.children).toHaveLength(1)
  expect(harness.stderr()).toMatch(/a frame that can be none/)
})

test('an unknown frame and one that is too short are answered with an error, and the next is heard', async () => {
  await using harness = await openShimHarness()
  const {shim, socket} = await harness.next()
  const answers: Buffer[] = []
  socket.on('data', (bytes: Buffer) => answers.push(bytes))
  socket.write(encodeFrame(9_999, 0xfffe, {}, {}))
  socket.write(encodeFrame(1, 0xfffd, {}, {}))
  // Fields that a newer supervisor has added are passed over.
  socket.write(encodeFrame(14, 0xfffc, {at: 'time', more: 'text'}, {at: undefined, more: 'new'}))
  expect(await shim.call('status', {follow: false})).toMatchObject({protocol: 1})
  const bytes = Buffer.concat(answers)
  const text = bytes.toString('latin1')
  expect(bytes.includes(encodeFrame(messages.ok.type, 0xfffc, {}, {}))).toBe(true)
  expect(text).toContain('Function not implemented')
  expect(text).toContain('Bad message')
})

test('a supervisor that hangs without reading stops neither exits nor wakes', async () => {
  await using harness = await openShimHarness()
  using control = await harness.control()
  const first = await harness.next()
  await first.watch('sleep 0.5; exit 7')
  process.kill(first.pid, 'SIGSTOP')
  // More than all buffers in between hold.
  for (let index = 0; index < 20_000; index += 1) void first.shim.call('status', {follow: false}).catch(() => {})
  await expect.poll(async () => (await control.status()).ended, soon).toBe(1)
  expect(await control.status()).toMatchObject({phase: 'up', pid: first.pid})
  process.kill(first.pid, 'SIGKILL')
  const second = await harness.next()
  await expect.poll(() => second.exits.map(({status}) => status), soon).toEqual([{type: 'code', code: 7}])
})

test('a supervisor that has said that it sleeps, and does not end, is ended', {timeout: 20_000}, async () => {
  await using harness = await openShimHarness()
  using control = await harness.control()
  const first = await harness.next()
  await first.shim.leave('sleep')
  await control.wake()
  const second = await harness.next()
  expect(second.shim.held).toMatchObject({reasons: 8, deaths: 0})
})

test('it does not sleep over an exit that it has not reaped, nor while it holds orphans', async () => {
  await using harness = await openShimHarness()
  const {shim, watch, exits} = await harness.next()
  const pid = await watch('sleep 0.1')
  await expect.poll(() => exits.length, soon).toBe(1)
  await expect(shim.leave('sleep')).rejects.toMatchObject({code: 'EAGAIN'})
  await shim.call('reap', {pid})
  await shim.call('orphans', {mode: orphanModes.hold})
  await expect(shim.leave('sleep')).rejects.toMatchObject({code: 'EBUSY'})
  await shim.call('orphans', {mode: orphanModes.reap})
  await shim.leave('sleep')
})

test('the shim ends with a supervisor that leaves for good, and its socket is gone', async () => {
  await using harness = await openShimHarness()
  const {shim, watch, exit} = await harness.next()
  const pid = await watch('sleep 1000')
  await expect(shim.leave('end')).rejects.toMatchObject({code: 'EBUSY'})
  process.kill(pid, 'SIGKILL')
  await expect.poll(() => shim.leave('end').catch((error: {code: string}) => error.code), soon).toBe('EAGAIN')
  await shim.call('reap', {pid})
  await shim.leave('end')
  exit()
  expect(await harness.ended).toBe(0)
  expect(existsSync(harness.socketPath)).toBe(false)
})

test('a wake that comes while a supervisor leaves for good starts another', async () => {
  await using harness = await openShimHarness()
  using control = await harness.control()
  const first = await harness.next()
  await first.shim.leave('end')
  await control.wake()
  first.exit()
  const second = await harness.next()
  expect(second.shim.held.reasons).toBe(8)
  await second.shim.leave('end')
  second.exit()
  expect(await harness.ended).toBe(0)
})

test('who follows is told of each change', async () => {
  await using harness = await openShimHarness()
  using control = await harness.control()
  const first = await harness.next()
  const phases: ShimStatus['phase'][] = []
  await control.follow(({phase}) => phases.push(phase))
  first.kill()
  const second = await harness.next()
  await second.shim.leave('sleep')
  second.exit()
  await expect.poll(() => phases.at(-1), soon).toBe('asleep')
  expect(phases[0]).toBe('up')
})

test('the socket is for its owner alone, and there is one shim for a directory', async () => {
  await using harness = await openShimHarness()
  await harness.next()
  expect(statSync(harness.socketPath).mode & 0o777).toBe(0o600)
  const second = spawn(shimProgram, ['--listen', harness.socketPath, '--', 'true'], {stdio: ['ignore', 'ignore', 'pipe']})
  const [status] = await once(second, 'exit')
  expect(status).toBe(1)
  using control = await harness.control()
  expect((await control.status()).phase).toBe('up')
})

test('a directory that was wiped gets its socket back', async () => {
  await using harness = await openShimHarness()
  await harness.next()
  rmSync(join(harness.dir, 'run'), {recursive: true})
  mkdirSync(join(harness.dir, 'run'), {mode: 0o700})
  process.kill(harness.pid, 'SIGHUP')
  await expect.poll(() => existsSync(harness.socketPath), soon).toBe(true)
  using control = await harness.control()
  expect((await control.status()).phase).toBe('up')
})

test('a path that is longer than an address can be is listened on', async () => {
  await using temp = await openShimHarness()
  const deep = join(temp.dir, 'x'.repeat(60), 'y'.repeat(60))
  mkdirSync(deep, {recursive: true})
  await using harness = await openShimHarness({listen: join(deep, 'shim.sock')})
  await harness.next()
  using control = await harness.control()
  expect((await control.status()).phase).toBe('up')
})

test('garbage on the socket, and what is not for everybody, harm nobody', async () => {
  await using harness = await openShimHarness()
  await harness.next()
  const garbage = connect(harness.socketPath)
  const {promise: closed, resolve: close} = Promise.withResolvers<void>()
  garbage.on('error', () => {}).on('close', close)
  garbage.write(Buffer.alloc(100_000, 0xff))
  await closed
  const stranger = connect(harness.socketPath)
  stranger.write(encodeFrame(16, 5, {wakes: 'u32'}, {wakes: 0}))
  const [answer]: Buffer[] = await once(stranger, 'data')
  expect(answer?.toString('latin1')).toContain('Operation not permitted')
  stranger.destroy()
  // More than are answered at once.
  const many = Array.from({length: 50}, () => connect(harness.socketPath).on('error', () => {}))
  await sleep(100)
  for (const socket of many) socket.destroy()
  using control = await harness.control()
  await expect.poll(async () => (await control.status()).phase, soon).toBe('up')
})

test('a parent of a coordinator hands SIGTERM on, and ends with its status', async () => {
  const child = spawn(shimProgram, ['--terminate', '--', 'sh', '-c', 'trap "exit 5" TERM; echo up; while :; do sleep 0.01; done'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([5, null])
})

test('a parent of a coordinator ends with it, whatever has not been acknowledged', async () => {
  await using harness = await openShimHarness({args: ['--terminate', '--delay', '10']})
  const first = await harness.next()
  await first.shim.call('orphans', {mode: orphanModes.tell})
  await first.orphan('sleep 0.1; exit 7')
  await expect.poll(() => first.exits.length, soon).toBe(1)
  process.kill(harness.pid, 'SIGTERM')
  await harness.ended
  expect(existsSync(harness.socketPath)).toBe(false)
})

test('a parent of a container is not ended by SIGTERM', async () => {
  await using harness = await openShimHarness()
  await harness.next()
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1'] as const) process.kill(harness.pid, signal)
  using control = await harness.control()
  expect((await control.status()).phase).toBe('up')
})

test('arguments that are wrong are refused, and the version says what it can', () => {
  expect(() => execFileSync(shimProgram, ['--restarts', 'x', '--', 'true'], {stdio: 'pipe'})).toThrow(/usage/)
  expect(() => execFileSync(shimProgram, [], {stdio: 'pipe'})).toThrow(/usage/)
  expect(execFileSync(shimProgram, ['--version'], {encoding: 'utf8'})).toBe('tally-shim protocol 1 state 1 features 1\n')
  expect(readShimVersion(shimProgram)).toEqual({protocol: 1, state: 1, features: 1})
  expect(readShimVersion('/bin/true')).toBeUndefined()
  expect(readShimVersion('/nonexistent')).toBeUndefined()
})

test('a shim that has given up ends when it has nothing, and nobody can reach it', async () => {
  const shim = spawn(shimProgram, ['--restarts', '2/60000', '--delay', '1', '--', 'false'], {stdio: ['ignore', 'ignore', 'pipe']})
  let said = ''
  shim.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  expect(await once(shim, 'close')).toEqual([0, null])
  expect(said).toMatch(/gave up: false/)
})

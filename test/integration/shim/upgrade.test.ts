import {execFileSync} from 'node:child_process'
import {copyFileSync, existsSync, readlinkSync, statSync} from 'node:fs'
import {join} from 'node:path'
import {expect, test} from 'vitest'
import {orphanModes} from '../../../src/shim/client/frames.ts'
import {openShimHarness, shimProgram} from '../../support/shim-harness.ts'
import {openStdio} from '../../support/shim-stdio.ts'

const soon = {interval: 5, timeout: 20_000}
const bootMs = () => Number(process.hrtime.bigint() / 1_000_000n)

function copyImage(dir: string, name: string): string {
  const image = join(dir, name)
  copyFileSync(shimProgram, image)
  return image
}

test('another image takes over under output, again and again: same pid, nothing lost, doubled or closed', async () => {
  await using harness = await openShimHarness()
  const supervisor = await harness.next()
  const {shim} = supervisor
  const io = await openStdio(harness, supervisor, {maxBytes: 1_000_000, maxFiles: 100, input: true})
  const images = [copyImage(harness.dir, 'shim-a'), copyImage(harness.dir, 'shim-b')]
  await io.watch('seq 500000; cat; exit 7')
  await shim.call('handOver', {stdio: 0})
  const deadline = bootMs() + 3_000
  await shim.call('deadline', {atMs: deadline})
  for (let round = 0; round < 20; round += 1) {
    await shim.call('upgrade', {image: images[round % 2] ?? ''})
    expect(readlinkSync(`/proc/${harness.pid}/exe`)).toBe(images[round % 2])
  }
  await shim.call('input', {stdio: 0, cookie: Buffer.from('c'), bytes: Buffer.from('typed\n')})
  await shim.call('closeInput', {stdio: 0})
  await expect.poll(() => supervisor.exits.map(({status}) => status), soon).toEqual([{type: 'code', code: 7}])
  const expected = `${Array.from({length: 500_000}, (_, index) => `${index + 1}\n`).join('')}typed\n`
  expect((await shim.call('drain', {stdio: 0})).stdout).toBe(expected.length)
  expect(io.text() === expected).toBe(true)
  await expect.poll(() => supervisor.dueCount, soon).toBe(1)
  using control = await harness.control()
  expect(await control.status()).toMatchObject({starts: 1, deaths: 0, pid: supervisor.pid, watched: 1, ended: 1})
  supervisor.kill()
  const second = await harness.next()
  expect(second.shim.held).toMatchObject({reasons: 2, starts: 2, deaths: 1, pid: harness.pid})
  expect(second.shim.held.stdios).toMatchObject([{cookie: Buffer.from('c'), inputTaken: 6, isDrained: true}])
  await expect.poll(() => second.exits, soon).toEqual(supervisor.exits)
})

test('what waits in a stdin, an exit that is not acknowledged and orphans that are held go with it', async () => {
  await using harness = await openShimHarness()
  const supervisor = await harness.next()
  const {shim} = supervisor
  const io = await openStdio(harness, supervisor, {input: true})
  await shim.call('orphans', {mode: orphanModes.hold})
  const reader = await io.orphan('sleep 0.5; wc -c')
  const ended = await supervisor.orphan('sleep 0.1; exit 9')
  for (const pid of [reader, ended]) await shim.call('watch', {pid, isStranger: false})
  await shim.call('handOver', {stdio: 0})
  const bytes = Buffer.alloc(16 * 1024)
  for (let index = 0; index < 4; index += 1) await shim.call('input', {stdio: 0, cookie: Buffer.alloc(0), bytes})
  const last = shim.call('input', {stdio: 0, cookie: Buffer.alloc(0), bytes})
  await shim.call('closeInput', {stdio: 0})
  const drained = expect.poll(() => supervisor.exits.length, soon).toBe(2)
  await shim.call('upgrade', {image: shimProgram})
  expect(await last).toEqual({taken: 5 * 16 * 1024})
  await drained
  await shim.call('drain', {stdio: 0})
  expect(io.text().trim()).toBe(String(5 * 16 * 1024))
  supervisor.kill()
  expect((await harness.next()).shim.held).toMatchObject({
    orphans: orphanModes.hold,
    children: [{pid: expect.any(Number)}, {pid: expect.any(Number)}],
  })
})

test('a sleeper is upgraded over the socket, and wakes with what it is to be now', async () => {
  await using harness = await openShimHarness()
  const first = await harness.next()
  const pid = await first.watch('sleep 1000')
  await first.shim.leave('sleep')
  first.exit()
  const image = copyImage(harness.dir, 'shim-new')
  {
    using control = await harness.control()
    await expect.poll(async () => (await control.status()).phase, soon).toBe('asleep')
    await control.upgrade(image)
  }
  expect(readlinkSync(`/proc/${harness.pid}/exe`)).toBe(image)
  using control = await harness.control()
  expect(await control.status()).toMatchObject({phase: 'asleep', watched: 1, starts: 1})
  await control.wake()
  expect((await harness.next()).shim.held).toMatchObject({reasons: 8, children: [{pid}]})
})

test('an image that cannot be executed is refused, and all is as before', async () => {
  await using harness = await openShimHarness()
  const {shim} = await harness.next()
  await expect(shim.call('upgrade', {image: '/nonexistent'})).rejects.toMatchObject({code: 'ENOENT'})
  const text = join(harness.dir, 'text')
  execFileSync('sh', ['-c', `printf 'no program' > ${text}; chmod +x ${text}`])
  await expect(shim.call('upgrade', {image: text})).rejects.toMatchObject({code: 'ENOEXEC'})
  using control = await harness.control()
  await expect(control.upgrade(text)).rejects.toMatchObject({code: 'ENOEXEC'})
  expect(await shim.call('status', {follow: false})).toMatchObject({starts: 1})
  expect(statSync(harness.socketPath).isSocket()).toBe(true)
  expect(harness.stderr()).toMatch(/cannot become/)
  expect(existsSync(`/proc/${harness.pid}`)).toBe(true)
})

test('nothing that it holds is inherited by a supervisor', async () => {
  await using harness = await openShimHarness()
  const supervisor = await harness.next()
  await openStdio(harness, supervisor, {input: true})
  await supervisor.shim.call('upgrade', {image: shimProgram})
  await supervisor.run(`ls -l /proc/self/fd > ${harness.dir}/fds`)
  supervisor.kill()
  const second = await harness.next()
  await second.run(`ls /proc/${second.pid}/fd > ${harness.dir}/fds`)
  const fds = execFileSync('cat', [`${harness.dir}/fds`], {encoding: 'utf8'})
    .trim()
    .split('\n')
    .map(Number)
  // 0, 1, 2, the socket to the shim, and two of the test's own.
  expect(fds.sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5])
})

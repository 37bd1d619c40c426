/** Disks that others fill to the last byte: nothing can be put into the spool any more, and a rotated log goes on with the room of its own oldest files. */
import {readFileSync, rmSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {expect, test} from 'vitest'
import {listSegments} from '../../../src/stdio/log-segments.ts'
import {createOutputReader} from '../../../src/stdio/output-reader.ts'
import {openShimHarness} from '../../support/shim-harness.ts'
import {openStdio} from '../../support/shim-stdio.ts'
import {fill, mountDisk} from '../../support/small-disk.ts'

const soon = {interval: 20, timeout: 10_000}
const bootMs = () => Number(process.hrtime.bigint() / 1_000_000n)
const rotation = {maxBytes: 100_000, maxFiles: 5}
/** Lines of 1,000 bytes, which begin with their numbers. */
const lines = (from: number, to: number) => `seq ${from} ${to} | while read i; do printf '%-999d\\n' $i; done`

async function openOnDisk(fields: {readonly maxBytes?: number; readonly maxFiles?: number}) {
  const opened = new AsyncDisposableStack()
  const harness = opened.use(await openShimHarness())
  const supervisor = await harness.next()
  const disk = join(harness.dir, 'disk')
  opened.use(mountDisk(disk))
  const io = await openStdio(harness, supervisor, {log: join(disk, 'log'), ...fields})
  const {shim} = supervisor
  return {
    io,
    supervisor,
    shim,
    other: join(disk, 'other'),
    logged: async () => (await shim.call('follow', {stdio: 0, position: Number.MAX_SAFE_INTEGER})).stdout,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

test('a rotated log drops its oldest files and goes on, and what is left is whole', async () => {
  await using node = await openOnDisk(rotation)
  const {io, other, shim, logged} = node
  expect(await io.run(lines(0, 349))).toBe(0)
  await expect.poll(logged, soon).toBe(350_000)
  expect(listSegments(io.log)).toHaveLength(4)
  fill(other)
  expect(await io.run(lines(350, 549))).toBe(0)
  await expect.poll(logged, soon).toBe(550_000)
  const [oldest] = listSegments(io.log)
  expect(oldest?.begin.stdout).toBeGreaterThan(100_000)
  const {offset, bytes} = createOutputReader(io.log).read('stdout', 0, 1_000_000)
  expect(offset).toBe(oldest?.begin.stdout)
  expect(bytes.toString().split('\n').slice(0, -1).map(Number.parseFloat)).toEqual(
    Array.from({length: bytes.length / 1_000}, (_, index) => offset / 1_000 + index),
  )
  expect((await shim.call('drain', {stdio: 0})).stdout).toBe(550_000)
  await shim.call('close', {stdio: 0})
  expect((await openStdio({dir: join(io.log, '../..')}, node.supervisor, {log: io.log, directory: io.directory, ...rotation})).text()).toBe(
    bytes.toString(),
  )
  expect(await logged()).toBe(550_000)
})

test('a rotated log keeps what a reader needs, and stops until there is room', async () => {
  await using node = await openOnDisk(rotation)
  const {io, other, supervisor, shim, logged} = node
  expect(await io.run(lines(0, 349))).toBe(0)
  await expect.poll(logged, soon).toBe(350_000)
  await shim.call('holdOutput', {stdio: 0, untilMs: bootMs() + 60_000, stdout: 0, stderr: 0})
  fill(other)
  await io.watch(lines(350, 549))
  await sleep(700)
  expect(await logged()).toBeLessThan(550_000)
  expect([listSegments(io.log)[0]?.begin.stdout, supervisor.exits]).toEqual([0, []])
  rmSync(other)
  await shim.call('holdOutput', {stdio: 0, untilMs: 0, stdout: 0, stderr: 0})
  await expect.poll(logged, soon).toBe(550_000)
})

test('a log of one file stops, since nothing older can be dropped; then it has all', async () => {
  await using node = await openOnDisk({})
  const {io, other, supervisor, logged} = node
  fill(other)
  await io.watch(lines(0, 199))
  await sleep(700)
  expect([await logged(), supervisor.exits]).toEqual([0, []])
  rmSync(other)
  await expect.poll(logged, soon).toBe(200_000)
  expect(io.text().split('\n').slice(0, -1).map(Number.parseFloat)).toEqual(Array.from({length: 200}, (_, index) => index))
})

test('a drain waits although nothing fits into the spool, and then has all that the process left in the pipe', async () => {
  await using node = await openOnDisk({})
  const {io, other, supervisor, shim} = node
  fill(other)
  const pid = await io.orphan(lines(0, 199))
  // The pipe is full.
  await expect.poll(() => readFileSync(`/proc/${pid}/wchan`, 'latin1'), soon).not.toBe('')
  await sleep(300)
  for (const below of readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean))
    process.kill(Number(below), 'SIGKILL')
  process.kill(pid, 'SIGKILL')
  let isDrained = false
  const drained = shim.call('drain', {stdio: 0}).finally(() => {
    isDrained = true
  })
  await sleep(400)
  expect(isDrained).toBe(false)
  rmSync(other)
  expect((await drained).stdout).toBeGreaterThan(60_000)
  expect(supervisor.exits).toEqual([])
})

import {createHash} from 'node:crypto'
import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {expect, test} from 'vitest'
import {mostInputBytes} from '../../../src/shim/client/frames.ts'
import {openShimHarness} from '../../support/shim-harness.ts'
import {openStdio} from '../../support/shim-stdio.ts'

const soon = {interval: 5, timeout: 10_000}
const none = Buffer.alloc(0)

test('input goes to the process in order, and ends after what was written before', async () => {
  await using harness = await openShimHarness()
  const supervisor = await harness.next()
  const {shim} = supervisor
  const io = await openStdio(harness, supervisor, {input: true})
  await io.watch(`sha256sum > ${harness.dir}/sum`)
  await shim.call('handOver', {stdio: 0})
  const hash = createHash('sha256')
  for (let index = 0; index < 300; index += 1) {
    const bytes = Buffer.alloc(mostInputBytes, index)
    hash.update(bytes)
    const {taken} = await shim.call('input', {stdio: 0, cookie: none, bytes})
    expect(taken).toBe((index + 1) * mostInputBytes)
  }
  await shim.call('closeInput', {stdio: 0})
  await shim.call('closeInput', {stdio: 0})
  await expect.poll(() => supervisor.exits.length, soon).toBe(1)
  expect(readFileSync(join(harness.dir, 'sum'), 'utf8')).toBe(`${hash.digest('hex')}  -\n`)
  await expect(shim.call('input', {stdio: 0, cookie: none, bytes: none})).rejects.toMatchObject({code: 'EPIPE'})
})

test('a process that does not read holds up its own input, and nothing else', async () => {
  await using harness = await openShimHarness()
  const supervisor = await harness.next()
  const {shim} = supervisor
  const [deaf, other] = [await openStdio(harness, supervisor, {input: true}), await openStdio(harness, supervisor, {stdio: 1, input: true})]
  const pid = await deaf.orphan('exec sleep 1000')
  await other.orphan('cat')
  for (const stdio of [0, 1]) await shim.call('handOver', {stdio})
  const bytes = Buffer.alloc(mostInputBytes, 'x')
  const written: number[] = []
  for (let index = 0; index < 4; index += 1) written.push((await shim.call('input', {stdio: 0, cookie: none, bytes})).taken)
  let isTaken = false
  const fifth = shim.call('input', {stdio: 0, cookie: none, bytes}).then(
    () => {
      isTaken = true
    },
    (error: {code: string}) => error.code,
  )
  await expect(shim.call('input', {stdio: 0, cookie: none, bytes})).rejects.toMatchObject({code: 'EBUSY'})
  await shim.call('input', {stdio: 1, cookie: none, bytes: Buffer.from('heard\n')})
  await expect.poll(() => other.text(), soon).toBe('heard\n')
  expect(isTaken).toBe(false)
  // Nobody reads it any more.
  process.kill(pid, 'SIGKILL')
  expect(await fifth).toBe('EPIPE')
})

test('a supervisor that is killed leaves no end of file, and the next knows exactly what was accepted', async () => {
  await using harness = await openShimHarness()
  const first = await harness.next()
  const io = await openStdio(harness, first, {input: true})
  await io.watch('sleep 0.5; cat')
  await first.shim.call('handOver', {stdio: 0})
  const bytes = Buffer.alloc(mostInputBytes, 'a')
  for (let index = 0; index < 4; index += 1) await first.shim.call('input', {stdio: 0, cookie: Buffer.from(`session ${index}`), bytes})
  // The pipe is full: this one the shim has, and the kernel has not.
  first.shim.call('input', {stdio: 0, cookie: Buffer.from('session 4'), bytes}).catch(() => {})
  await first.shim.call('status', {follow: false})
  first.kill()
  const second = await harness.next()
  const [held] = second.shim.held.stdios
  expect(held).toMatchObject({isInputOpen: true, inputAccepted: 5 * mostInputBytes, cookie: Buffer.from('session 4')})
  await expect.poll(() => io.text().length, soon).toBe(5 * mostInputBytes)
  await second.shim.call('input', {stdio: 0, cookie: none, bytes: Buffer.from('end\n')})
  await second.shim.call('closeInput', {stdio: 0})
  await expect.poll(() => second.exits.length, soon).toBe(1)
  await second.shim.call('drain', {stdio: 0})
  expect(io.text()).toBe(`${'a'.repeat(5 * mostInputBytes)}end\n`)
})

test('an end of file that was asked for comes after what waits', async () => {
  await using harness = await openShimHarness()
  const supervisor = await harness.next()
  const io = await openStdio(harness, supervisor, {input: true})
  await io.watch('sleep 0.3; wc -c')
  await supervisor.shim.call('handOver', {stdio: 0})
  const bytes = Buffer.alloc(mostInputBytes)
  for (let index = 0; index < 4; index += 1) await supervisor.shim.call('input', {stdio: 0, cookie: none, bytes})
  const last = supervisor.shim.call('input', {stdio: 0, cookie: none, bytes})
  await supervisor.shim.call('closeInput', {stdio: 0})
  await last
  await expect.poll(() => supervisor.exits.length, soon).toBe(1)
  await supervisor.shim.call('drain', {stdio: 0})
  expect(io.text().trim()).toBe(String(5 * mostInputBytes))
  await sleep(10)
})

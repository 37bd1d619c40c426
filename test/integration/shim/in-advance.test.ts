/** A shim that is started before it has a container: socket and title come later. */
import {execFileSync} from 'node:child_process'
import {copyFileSync, existsSync, mkdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {expect, test} from 'vitest'
import {connectShimControl} from '../../../src/shim/client/control.ts'
import {features} from '../../../src/shim/client/frames.ts'
import {openShimHarness, shimProgram} from '../../support/shim-harness.ts'

const soon = {interval: 2, timeout: 5_000}
/** The command line as ps shows it, and what is left of its room. */
const readTitle = (pid: number) => {
  const text = readFileSync(`/proc/${pid}/cmdline`, 'latin1')
  return {text: text.replace(/\0+$/, ''), room: text.length}
}
const phaseAt = async (path: string) => {
  using control = await connectShimControl(path)
  return (await control.status()).phase
}

test('it is told by what name it is shown, and keeps that when another image takes over', async () => {
  await using harness = await openShimHarness({listen: 'never'})
  const {shim} = await harness.next()
  expect(shim.held.features & features.title).toBe(features.title)
  const {room} = readTitle(harness.pid)
  const title = 'tally-shim default/web'
  await shim.call('title', {text: title})
  expect(readTitle(harness.pid)).toEqual({text: title, room})
  // As ps shows it; the name of a process stays.
  expect(execFileSync('ps', ['-o', 'comm=,args=', '-p', String(harness.pid)], {encoding: 'utf8'}).trim()).toMatch(
    new RegExp(`^tally-shim(-\\S+)?\\s+${title}$`),
  )
  for (const name of ['a', 'b']) {
    const image = join(harness.dir, name)
    copyFileSync(shimProgram, image)
    await shim.call('upgrade', {image})
    expect(readTitle(harness.pid)).toEqual({text: title, room})
  }
  // Longer and shorter again, after an upgrade too.
  await shim.call('title', {text: 'x'.repeat(10_000)})
  expect(readTitle(harness.pid)).toEqual({text: 'x'.repeat(room - 1), room})
  await shim.call('title', {text: title})
  expect(readTitle(harness.pid)).toEqual({text: title, room})
})

test('without a title of its own, its arguments are shown, by another image too', async () => {
  await using harness = await openShimHarness({listen: 'never'})
  const {shim} = await harness.next()
  const before = readTitle(harness.pid)
  await shim.call('upgrade', {image: shimProgram})
  expect(readTitle(harness.pid).text).toBe(before.text.replaceAll('\0', ' '))
})

test('it listens where its supervisor says, in a directory that was just made, and moves', async () => {
  await using harness = await openShimHarness({listen: 'never'})
  const {shim, run, kill} = await harness.next()
  expect(shim.held.socket).toBe('')
  const [one, other, beside] = ['one/shim.sock', 'other/shim.sock', 'other/beside.sock'].map((name) => join(harness.dir, name))
  if (!one || !other || !beside) throw new Error('expected three paths')
  await expect(shim.call('listen', {path: one})).rejects.toMatchObject({code: 'ENOENT'})
  for (const name of ['one', 'other']) mkdirSync(join(harness.dir, name), {mode: 0o700})
  await shim.call('listen', {path: one})
  expect(await phaseAt(one)).toBe('up')
  // Again, as the next supervisor may ask.
  await shim.call('listen', {path: one})
  expect(await phaseAt(one)).toBe('up')
  await shim.call('listen', {path: other})
  expect(await phaseAt(other)).toBe('up')
  expect(existsSync(one)).toBe(false)
  await shim.call('listen', {path: beside})
  expect(await phaseAt(beside)).toBe('up')
  expect(existsSync(other)).toBe(false)
  // Removed by somebody, and asked for again.
  await run(`rm -r ${join(harness.dir, 'other')}; mkdir ${join(harness.dir, 'other')}`)
  await shim.call('listen', {path: beside})
  expect(await phaseAt(beside)).toBe('up')
  kill()
  const next = await harness.next()
  expect(next.shim.held.socket).toBe(beside)
  await next.shim.call('listen', {path: beside})
  expect(await phaseAt(beside)).toBe('up')
})

test('a directory that another shim has is refused, and all is as before', async () => {
  await using former = await openShimHarness()
  await former.next()
  await using harness = await openShimHarness({listen: 'never'})
  const {shim} = await harness.next()
  await expect(shim.call('listen', {path: join(former.dir, 'run/another.sock')})).rejects.toMatchObject({
    code: 'EADDRINUSE',
    message: expect.stringMatching(/in use/i),
  })
  const path = join(harness.dir, 'run/shim.sock')
  await shim.call('listen', {path})
  await expect(shim.call('listen', {path: former.socketPath})).rejects.toMatchObject({code: 'EADDRINUSE'})
  expect(await phaseAt(path)).toBe('up')
  expect(await phaseAt(former.socketPath)).toBe('up')
  await expect(shim.call('listen', {path: `/${'x'.repeat(5_000)}`})).rejects.toMatchObject({code: 'ENAMETOOLONG'})
})

test('it ends with a supervisor that has got nothing to do', async () => {
  await using harness = await openShimHarness({listen: 'never'})
  const {shim, exit} = await harness.next()
  await shim.leave('end')
  exit()
  expect(await harness.ended).toBe(0)
})

test('its socket goes with it, wherever it has been moved', async () => {
  await using harness = await openShimHarness({listen: 'never'})
  const {shim, exit} = await harness.next()
  await shim.call('listen', {path: harness.socketPath})
  await shim.leave('end')
  exit()
  expect(await harness.ended).toBe(0)
  await expect.poll(() => existsSync(harness.socketPath), soon).toBe(false)
})

import {mkdirSync} from 'node:fs'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'
import {createLease, type Lease} from '../../../../src/supervisor/output/lease.ts'
import {createLeaseFile, type LeaseFile} from '../../../../src/supervisor/output/lease-file.ts'
import {createFakeClock} from '../../../support/fake-clock.ts'
import {makeTempDir, type TempDir} from '../../../support/temp-dir.ts'

const startMs = 1_000_000
const offsets = (stdout: number, stderr: number) => ({stdout, stderr})

function createMemoryFile(): LeaseFile {
  let untilMs: number | undefined
  return {
    read: () => untilMs,
    write: (next) => {
      untilMs = next
    },
  }
}

function open(file = createMemoryFile(), nowMs = startMs) {
  const clock = createFakeClock(nowMs)
  return {clock, file, lease: createLease(file, clock)}
}

const needed = (stdout: number, stderr: number, untilMs: number) => ({untilMs, from: offsets(stdout, stderr)})

async function isReleased(lease: Lease): Promise<boolean> {
  const later = new Promise<boolean>((resolve) => setImmediate(() => resolve(false)))
  return await Promise.race([lease.whenReleased().then(() => true), later])
}

describe('a lease on output', () => {
  it('is free until it is taken: nothing is needed and nobody waits', async () => {
    const {lease, clock} = open()
    expect([lease.needed(), await isReleased(lease), clock.armed]).toEqual([undefined, true, 0])
  })

  it('keeps the log from the offsets on that its reader names, and the process waiting, until it runs out', async () => {
    const {lease, clock} = open()
    lease.take(30_000, offsets(5, 7))
    const released = lease.whenReleased()
    clock.advance(29_999)
    expect([lease.needed(), await isReleased(lease)]).toEqual([needed(5, 7, startMs + 30_000), false])
    clock.advance(1)
    await released
    expect([lease.needed(), clock.armed]).toEqual([undefined, 0])
  })

  it('without offsets keeps the process waiting, and lets the log drop what it drops', async () => {
    const {lease} = open()
    lease.take(30_000)
    expect([lease.needed(), await isReleased(lease)]).toEqual([undefined, false])
  })

  it('is renewed: the later end and the later offsets replace those before', async () => {
    const {lease, clock} = open()
    lease.take(30_000, offsets(0, 0))
    clock.advance(20_000)
    lease.take(30_000, offsets(9, 0))
    clock.advance(29_999)
    expect([lease.needed(), await isReleased(lease)]).toEqual([needed(9, 0, startMs + 50_000), false])
    clock.advance(1)
    expect(await isReleased(lease)).toBe(true)
  })

  it('may be renewed for a shorter time, which wakes those who wait for its end', async () => {
    const {lease, clock} = open()
    lease.take(60_000)
    const released = lease.whenReleased()
    await Promise.resolve()
    lease.take(1_000)
    await Promise.resolve()
    clock.advance(1_000)
    await released
  })

  it('is let go at once', async () => {
    const {lease, clock, file} = open()
    lease.take(30_000, offsets(0, 0))
    const released = lease.whenReleased()
    await Promise.resolve()
    lease.take(0)
    await released
    await Promise.resolve()
    expect([lease.needed(), file.read(), clock.armed]).toEqual([undefined, undefined, 0])
  })
})

describe('those who listen to a lease', () => {
  it('are told when it is taken, renewed and let go, and not when it runs out', () => {
    const {lease, clock} = open()
    const told: unknown[] = []
    lease.onChange(() => told.push(lease.needed()?.from))
    lease.take(30_000, offsets(5, 7))
    lease.take(30_000, offsets(6, 7))
    lease.take(0)
    lease.take(1_000)
    clock.advance(2_000)
    expect(told).toEqual([offsets(5, 7), offsets(6, 7), undefined, undefined])
  })
})

describe('a lease that the next supervisor finds', () => {
  it('lasts as long as it was promised, and needs everything until its reader has said what it has read', async () => {
    const former = open()
    former.lease.take(30_000, offsets(5, 7))
    const {lease, clock} = open(former.file, startMs + 10_000)
    expect([lease.needed(), await isReleased(lease)]).toEqual([needed(0, 0, startMs + 30_000), false])
    lease.take(15_000, offsets(6, 7))
    expect(lease.needed()).toEqual(needed(6, 7, startMs + 25_000))
    clock.advance(15_000)
    expect(await isReleased(lease)).toBe(true)
  })

  it('has run out when its time has passed meanwhile', async () => {
    const former = open()
    former.lease.take(30_000)
    const {lease} = open(former.file, startMs + 30_000)
    expect([lease.needed(), await isReleased(lease)]).toEqual([undefined, true])
  })

  it('that was let go is not waited for', async () => {
    const former = open()
    former.lease.take(30_000)
    former.lease.take(0)
    expect(await isReleased(open(former.file).lease)).toBe(true)
  })

  it('from before a boot of the host ends after the longest time that can be asked for', async () => {
    const former = open()
    former.lease.take(30_000)
    const {lease, clock} = open(former.file, 500)
    clock.advance(59_999)
    expect(await isReleased(lease)).toBe(false)
    clock.advance(1)
    expect(await isReleased(lease)).toBe(true)
  })
})

describe('the file of a lease', () => {
  let dir: TempDir
  beforeEach(() => {
    dir = makeTempDir()
  })
  afterEach(() => dir[Symbol.asyncDispose]())

  it('has what was written last, and nothing once the lease is let go', () => {
    const path = join(dir.path, 'held-until')
    const file = createLeaseFile(path)
    expect(file.read()).toBeUndefined()
    file.write(1_234)
    expect(createLeaseFile(path).read()).toBe(1_234)
    file.write(undefined)
    expect(createLeaseFile(path).read()).toBeUndefined()
  })

  it('that cannot be written does not fail the lease; it is written again when its directory is there', () => {
    const file = createLeaseFile(join(dir.path, 'missing', 'held-until'))
    const clock = createFakeClock(startMs)
    const lease = createLease(file, clock)
    lease.take(30_000, offsets(1, 1))
    expect([file.read(), lease.needed()]).toEqual([undefined, needed(1, 1, startMs + 30_000)])
    mkdirSync(join(dir.path, 'missing'))
    lease.save()
    expect(file.read()).toBe(startMs + 30_000)
  })
})

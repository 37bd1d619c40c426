import {describe, expect, it} from 'vitest'
import {createInterest, type Interest} from '../../../../src/supervisor/output/interest.ts'
import type {LeaseFile} from '../../../../src/supervisor/output/lease-file.ts'
import {createLease} from '../../../../src/supervisor/output/lease.ts'
import type {Output} from '../../../../src/supervisor/output/output.ts'
import {createOutputs} from '../../../../src/supervisor/output/outputs.ts'
import {createFakeClock} from '../../../support/fake-clock.ts'

const startMs = 1_000_000

/** Counts how often it is written. */
function createMemoryFile(): LeaseFile & {readonly written: readonly (number | undefined)[]} {
  const written: (number | undefined)[] = []
  return {written, read: () => written.at(-1), write: (untilMs) => void written.push(untilMs)}
}

function open(file = createMemoryFile(), nowMs = startMs) {
  const clock = createFakeClock(nowMs)
  return {clock, file, interest: createInterest(file, clock)}
}

async function isReleased(interest: Interest): Promise<boolean> {
  const later = new Promise<boolean>((resolve) => setImmediate(() => resolve(false)))
  return await Promise.race([interest.whenReleased().then(() => true), later])
}

describe('interest in output', () => {
  it('lasts for as long as was asked from then on, and begins with nobody', () => {
    const {clock, interest} = open()
    expect([interest.isWatched, interest.untilMs()]).toEqual([false, undefined])
    interest.watch(10_000)
    clock.advance(9_999)
    expect([interest.isWatched, interest.untilMs()]).toEqual([true, startMs + 10_000])
    clock.advance(1)
    expect([interest.isWatched, interest.untilMs()]).toEqual([false, undefined])
  })

  it('is that of the caller who asks for longest', () => {
    const {clock, interest} = open()
    interest.watch(10_000)
    interest.watch(3_000)
    interest.watch(0)
    expect(interest.untilMs()).toBe(startMs + 10_000)
    clock.advance(8_000)
    interest.watch(10_000)
    expect(interest.untilMs()).toBe(startMs + 18_000)
  })

  it('needs no timer', () => {
    const {clock, interest, file} = open()
    interest.watch(10_000)
    expect([clock.armed, file.written]).toEqual([0, []])
  })
})

describe('a reader with a name', () => {
  it('is waited for until it lets go, by each who waits', async () => {
    const {clock, interest} = open()
    expect(await isReleased(interest)).toBe(true)
    interest.watch(10_000, 'a')
    const released = Promise.all([interest.whenReleased(), interest.whenReleased()])
    expect([interest.isWatched, await isReleased(interest)]).toEqual([true, false])
    interest.watch(0, 'a')
    await released
    expect([interest.isWatched, interest.untilMs()]).toEqual([false, undefined])
    await new Promise((resolve) => setImmediate(resolve))
    clock.advance(20_000)
    expect(clock.armed).toBe(0)
  })

  it('is waited for until its time is over, however often it has renewed it', async () => {
    const {clock, interest} = open()
    interest.watch(10_000, 'a')
    clock.advance(9_000)
    interest.watch(10_000, 'a')
    clock.advance(9_999)
    expect(await isReleased(interest)).toBe(false)
    clock.advance(1)
    expect(await isReleased(interest)).toBe(true)
  })

  it('lets go for itself alone; a watcher without a name is not waited for', async () => {
    const {interest} = open()
    interest.watch(60_000)
    interest.watch(10_000, 'a')
    interest.watch(5_000, 'b')
    interest.watch(0, 'a')
    expect([await isReleased(interest), interest.untilMs()]).toEqual([false, startMs + 60_000])
    interest.watch(0, 'b')
    expect([await isReleased(interest), interest.isWatched]).toEqual([true, true])
  })

  it('is waited for by the next supervisor, which publishes nothing before it is asked', async () => {
    const former = open()
    former.interest.watch(10_000, 'a')
    const {interest, clock} = open(former.file, startMs + 4_000)
    expect([interest.isWatched, interest.untilMs(), await isReleased(interest)]).toEqual([false, startMs + 10_000, false])
    clock.advance(6_000)
    expect([interest.untilMs(), await isReleased(interest)]).toEqual([undefined, true])
  })

  it('that has let go is not waited for by the next supervisor', async () => {
    const former = open()
    former.interest.watch(10_000, 'a')
    former.interest.watch(0, 'a')
    expect(await isReleased(open(former.file).interest)).toBe(true)
  })

  it('from before a boot of the host is waited for no longer than anybody can ask for', async () => {
    const former = open()
    former.interest.watch(60_000, 'a')
    const {interest, clock} = open(former.file, 500)
    clock.advance(59_999)
    expect(await isReleased(interest)).toBe(false)
    clock.advance(1)
    expect(await isReleased(interest)).toBe(true)
  })

  it('that asks often costs a write of the file a second', () => {
    const {clock, interest, file} = open()
    for (let asked = 0; asked < 100; asked += 1) {
      interest.watch(10_000, 'a')
      clock.advance(100)
    }
    expect(file.written.length).toBeLessThanOrEqual(10)
  })
})

describe('whether anybody is attached', () => {
  function open() {
    const clock = createFakeClock(startMs)
    const interests = new Map<string | undefined, Interest>()
    const outputs = createOutputs((exec) => {
      const lease = createLease({read: () => undefined, write: () => {}}, clock)
      const interest = createInterest(createMemoryFile(), clock)
      interests.set(exec, interest)
      return {lease, interest} as unknown as Output
    })
    const watch = (forMs: number, {exec, reader}: {readonly exec?: string; readonly reader?: string} = {}) => {
      outputs.of(exec)
      interests.get(exec)?.watch(forMs, reader)
    }
    return {clock, outputs, watch}
  }

  it('is said of the lease or the interest, in any process, that ends last', () => {
    const {clock, outputs, watch} = open()
    expect(outputs.attendedUntilMs()).toBeUndefined()
    watch(10_000)
    expect(outputs.attendedUntilMs()).toBe(startMs + 10_000)
    outputs.of('shell').lease.take(30_000)
    expect(outputs.attendedUntilMs()).toBe(startMs + 30_000)
    outputs.of('shell').lease.take(0)
    expect(outputs.attendedUntilMs()).toBe(startMs + 10_000)
    outputs.of().lease.take(20_000)
    clock.advance(10_000)
    expect(outputs.attendedUntilMs()).toBe(startMs + 20_000)
    clock.advance(10_000)
    expect(outputs.attendedUntilMs()).toBeUndefined()
  })

  it('has a removal wait for those of the process that is removed', async () => {
    const {outputs, watch} = open()
    watch(10_000, {reader: 'a'})
    watch(10_000, {exec: 'shell'})
    await outputs.whenReleased('shell')
    const all = outputs.whenReleased()
    watch(0, {reader: 'a'})
    await all
  })

  it('does not count a process that was deleted', () => {
    const {outputs, watch} = open()
    watch(10_000, {exec: 'shell'})
    outputs.forget('shell')
    expect(outputs.attendedUntilMs()).toBeUndefined()
  })
})

import {describe, expect, it} from 'vitest'
import {createInterest} from '../../../../src/supervisor/output/interest.ts'
import {createLease} from '../../../../src/supervisor/output/lease.ts'
import type {Output} from '../../../../src/supervisor/output/output.ts'
import {createOutputs} from '../../../../src/supervisor/output/outputs.ts'
import {createFakeClock} from '../../../support/fake-clock.ts'

const startMs = 1_000_000

describe('interest in output', () => {
  it('lasts for as long as was asked from then on, and begins with nobody', () => {
    const clock = createFakeClock(startMs)
    const interest = createInterest(clock)
    expect([interest.isWatched, interest.untilMs()]).toEqual([false, undefined])
    interest.watch(10_000)
    clock.advance(9_999)
    expect([interest.isWatched, interest.untilMs()]).toEqual([true, startMs + 10_000])
    clock.advance(1)
    expect([interest.isWatched, interest.untilMs()]).toEqual([false, undefined])
  })

  it('is that of the caller who asks for longest', () => {
    const clock = createFakeClock(startMs)
    const interest = createInterest(clock)
    interest.watch(10_000)
    interest.watch(3_000)
    interest.watch(0)
    expect(interest.untilMs()).toBe(startMs + 10_000)
    clock.advance(8_000)
    interest.watch(10_000)
    expect(interest.untilMs()).toBe(startMs + 18_000)
  })

  it('needs no timer', () => {
    const clock = createFakeClock(startMs)
    createInterest(clock).watch(10_000)
    expect(clock.armed).toBe(0)
  })
})

describe('whether anybody is attached', () => {
  function open() {
    const clock = createFakeClock(startMs)
    const outputs = createOutputs(() => {
      const lease = createLease({read: () => undefined, write: () => {}}, clock)
      return {lease, interest: createInterest(clock)} as unknown as Output
    })
    return {clock, outputs}
  }

  it('is said of the lease or the interest, in any process, that ends last', () => {
    const {clock, outputs} = open()
    expect(outputs.attendedUntilMs()).toBeUndefined()
    outputs.of().interest.watch(10_000)
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

  it('does not count a process that was deleted', () => {
    const {outputs} = open()
    outputs.of('shell').interest.watch(10_000)
    outputs.forget('shell')
    expect(outputs.attendedUntilMs()).toBeUndefined()
  })
})

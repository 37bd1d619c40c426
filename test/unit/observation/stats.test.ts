import {describe, expect, it} from 'vitest'
import type {Draft} from '../../../machines/ledger/draft.ts'
import type {StatsReply} from '../../../machines/views/stats.ts'
import {createStats} from '../../../src/observation/stats.ts'
import {createFakeClock} from '../../support/fake-clock.ts'
import {epoch, given, happen} from '../../support/given.ts'
import {histories} from '../support/histories.ts'

function open() {
  const clock = createFakeClock(epoch)
  const published: StatsReply[] = []
  let history: readonly Draft[] = histories.running
  const stats = createStats({ledger: () => given(...history).ledger, publish: (sample) => published.push(sample), clock})
  const seconds = () => published.map(({time}) => (Date.parse(time) - epoch) / 1_000)
  return {
    stats,
    clock,
    published,
    seconds,
    stop: () => {
      history = [...histories.running, happen.exited]
    },
  }
}

describe('samples', () => {
  it('are published once a second for as long as was asked, and not without being asked', () => {
    const {stats, clock, seconds} = open()
    stats.watch(0)
    clock.advance(5_000)
    expect(seconds()).toEqual([])
    stats.watch(3_000)
    clock.advance(10_000)
    expect(seconds()).toEqual([6, 7, 8])
  })

  it('are published once for all who ask, and for as long as the longest', () => {
    const {stats, clock, seconds} = open()
    stats.watch(3_000)
    clock.advance(500)
    stats.watch(1_000)
    clock.advance(1_000)
    stats.watch(3_000)
    clock.advance(10_000)
    expect(seconds()).toEqual([1, 2, 3, 4])
  })

  it('end with one that says that it has stopped', () => {
    const {stats, clock, published, stop} = open()
    stats.watch(60_000)
    clock.advance(1_000)
    stop()
    clock.advance(10_000)
    expect(published.map(({state}) => state)).toEqual(['running', 'stopped'])
  })
})

import {describe, expect, it} from 'vitest'
import type {Draft} from '../../../../machines/ledger/draft.ts'
import type {Ledger} from '../../../../machines/ledger/ledger.ts'
import {healthCheckSchema} from '../../../../machines/schemas/health.ts'
import {createHealthChecks} from '../../../../src/supervisor/effects/health-checks.ts'
import type {RememberedHealth} from '../../../../src/supervisor/processes/health-memory.ts'
import {createFakeClock} from '../../../support/fake-clock.ts'
import {epoch, given, happen} from '../../../support/given.ts'
import {histories} from '../../support/histories.ts'
import {settle} from '../loop/loop-fixture.ts'

const check = healthCheckSchema.parse({args: ['true'], retries: 2, intervalMs: 1_000})
const checked: readonly Draft[] = [
  {type: 'container.create-requested', data: {request: {...happen.createRequested.data.request, healthCheck: check}}},
  ...histories.running.slice(1),
]

function open(history: readonly Draft[] = checked, remembered?: RememberedHealth) {
  const put: RememberedHealth[] = []
  const clock = createFakeClock(epoch)
  const state = {drafts: history, isWell: true, asked: 0}
  const observed: Draft[] = []
  const ledger = (): Ledger => given(...state.drafts).ledger
  const health = createHealthChecks({
    probe: {
      ask: async () => {
        state.asked += 1
        return {isWell: state.isWell, output: 'said'}
      },
      clear: async () => {},
    },
    clock,
    bootNow: () => ({bootId: 'b', ms: clock.elapsed()}),
    memory: {take: () => remembered, put: (_, health) => void put.push(health), drop: () => void put.splice(0)},
    observe: async (draft) => {
      observed.push(draft)
      state.drafts = [...state.drafts, draft]
      return undefined
    },
  })
  const pass = async (periods: number) => {
    for (let count = 0; count < periods; count += 1) {
      await settle()
      clock.advance(1_000)
      await settle()
    }
  }
  return {health, clock, state, observed, ledger, pass, put}
}

const changed = (status: 'healthy' | 'unhealthy', failures: number) => ({
  type: 'container.health-changed',
  data: {status, failures, output: 'said'},
})

describe('health checks', () => {
  it('report what is new, once', async () => {
    const {health, ledger, state, observed, pass} = open()
    health.watch(check, ledger)
    await pass(3)
    expect(observed).toEqual([changed('healthy', 0)])
    state.isWell = false
    await pass(4)
    expect(observed.slice(1)).toEqual([changed('unhealthy', 2)])
    state.isWell = true
    await pass(1)
    expect(observed.slice(2)).toEqual([changed('healthy', 0)])
    expect(state.asked).toBe(8)
  })

  it('wait while the container is frozen', async () => {
    const {health, ledger, state, pass} = open([...checked, happen.pauseRequested, happen.paused])
    health.watch(check, ledger)
    await pass(3)
    expect(state.asked).toBe(0)
    state.drafts = checked
    await pass(1)
    expect(state.asked).toBe(1)
  })

  it('end, and begin again for another init, each once', async () => {
    const {health, clock, ledger, state, pass} = open()
    health.watch(check, ledger)
    await pass(1)
    health.end()
    await pass(2)
    expect([state.asked, clock.armed]).toEqual([1, 0])
    health.watch(check, ledger)
    health.watch(check, ledger)
    await pass(2)
    expect([state.asked, clock.armed]).toEqual([3, 1])
  })

  it('go on counting where the supervisor before put down how far it was, at the time that it meant', async () => {
    const former = open()
    former.state.isWell = false
    former.health.watch(check, former.ledger)
    await former.pass(1)
    former.health.remember()
    expect(former.put).toEqual([{health: {type: 'counting', failures: 1}, nextMs: epoch + 2_000}])
    const next = open(checked, former.put[0])
    next.state.isWell = false
    next.health.watch(check, next.ledger)
    expect(next.health.next).toBe(epoch + 2_000)
    await next.pass(1)
    expect(next.state.asked).toBe(0)
    await next.pass(1)
    expect(next.observed).toEqual([changed('unhealthy', 2)])
  })

  it('that go on after all leave nothing of what was put down', async () => {
    const {health, ledger, put, state, pass} = open()
    state.isWell = false
    health.watch(check, ledger)
    await pass(1)
    health.remember()
    expect(put).toHaveLength(1)
    state.isWell = true
    await pass(1)
    // One that dies now has counted no failure.
    expect(put).toEqual([])
  })

  it('put nothing down in the middle of one, or when there are none', async () => {
    const {health, ledger, put, pass, clock} = open()
    health.remember()
    health.watch(check, ledger)
    await settle()
    clock.advance(1_000)
    expect(health.next).toBe(epoch + 1_000)
    await pass(1)
    health.end()
    health.remember()
    expect([health.next, put]).toEqual([undefined, []])
  })
})

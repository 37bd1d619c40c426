import {describe, expect, it} from 'vitest'
import type {Draft} from '../../../../machines/ledger/draft.ts'
import type {Ledger} from '../../../../machines/ledger/ledger.ts'
import {healthCheckSchema} from '../../../../machines/schemas/health.ts'
import {createHealthChecks} from '../../../../src/supervisor/effects/health-checks.ts'
import {createFakeClock} from '../../../support/fake-clock.ts'
import {epoch, given, happen} from '../../../support/given.ts'
import {histories} from '../../support/histories.ts'
import {settle} from '../loop/loop-fixture.ts'

const check = healthCheckSchema.parse({args: ['true'], retries: 2, intervalMs: 1_000})
const checked: readonly Draft[] = [
  {type: 'container.create-requested', data: {request: {...happen.createRequested.data.request, healthCheck: check}}},
  ...histories.running.slice(1),
]

function open(history: readonly Draft[] = checked) {
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
  return {health, clock, state, observed, ledger, pass}
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
})

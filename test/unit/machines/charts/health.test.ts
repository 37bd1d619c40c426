import {describe, expect, it} from 'vitest'
import {beginHealth, type HealthPhase, judgeHealth, toHealthWaitMs} from '../../../../machines/charts/health.ts'
import {healthCheckSchema} from '../../../../machines/schemas/health.ts'

const check = healthCheckSchema.parse({
  args: ['true'],
  retries: 3,
  intervalMs: 30_000,
  startPeriodMs: 10_000,
  startIntervalMs: 1_000,
})

/** What a row of answers is judged to be, each with the milliseconds since the start of the program. */
function judgeAll(answers: readonly (readonly [isWell: boolean, ranMs: number])[], from: HealthPhase = beginHealth(check, 0)) {
  let phase = from
  return answers.map(([isWell, ranMs]) => {
    const judgement = judgeHealth(phase, check, {isWell, ranMs})
    phase = judgement.phase
    return judgement.status ?? 'nothing new'
  })
}

describe('the health of a container', () => {
  it('is judged from its start period on, or at once where there is none, or it has passed', () => {
    expect(beginHealth(check, 9_999)).toEqual({type: 'starting'})
    expect(beginHealth(check, 10_000)).toEqual({type: 'counting', failures: 0})
    for (const ranMs of [0, -5_000]) expect(beginHealth({...check, startPeriodMs: 0}, ranMs)).toEqual({type: 'counting', failures: 0})
  })

  it('is asked for more often during the start period', () => {
    expect(toHealthWaitMs({type: 'starting'}, check)).toBe(1_000)
    expect(toHealthWaitMs({type: 'counting', failures: 2}, check)).toBe(30_000)
  })

  it('does not suffer from failures within the start period', () => {
    const failed = (ranMs: number) => [false, ranMs] as const
    expect(judgeAll([failed(1_000), failed(5_000), failed(9_999), failed(10_000), failed(11_000), failed(12_000)])).toEqual([
      ...Array(5).fill('nothing new'),
      'unhealthy',
    ])
  })

  it('is good with the first success, which ends the start period', () => {
    expect(judgeAll([[true, 1_000], ...[2_000, 3_000, 4_000].map((ranMs) => [false, ranMs] as const)])).toEqual([
      'healthy',
      'nothing new',
      'nothing new',
      'unhealthy',
    ])
  })

  it('is bad when so many in a row have failed, and stays so until one succeeds', () => {
    const late = 60_000
    const answers = [false, false, true, false, false, false, false, true].map((isWell) => [isWell, late] as const)
    expect(judgeAll(answers, beginHealth(check, late))).toEqual([
      'nothing new',
      'nothing new',
      'healthy',
      'nothing new',
      'nothing new',
      'unhealthy',
      'unhealthy',
      'healthy',
    ])
  })

  it('counts how many have failed', () => {
    expect(judgeHealth({type: 'counting', failures: 3}, check, {isWell: false, ranMs: 60_000}).phase).toEqual({
      type: 'counting',
      failures: 4,
    })
    expect(judgeHealth({type: 'counting', failures: 3}, check, {isWell: true, ranMs: 60_000}).phase).toEqual({
      type: 'counting',
      failures: 0,
    })
  })
})

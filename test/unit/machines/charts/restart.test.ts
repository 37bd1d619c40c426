import {describe, expect, it} from 'vitest'
import {isStopSignal, planRestart} from '../../../../machines/charts/restart.ts'
import type {Draft} from '../../../../machines/ledger/draft.ts'
import type {ProcessExit} from '../../../../machines/ledger/process-exit.ts'
import type {RestartPolicy} from '../../../../machines/schemas/restart-policy.ts'
import {epoch, given, happen} from '../../../support/given.ts'
import {histories} from '../../support/histories.ts'

const usual = {policy: 'always', delayMs: 100, maxDelayMs: 60_000, windowMs: 10_000} as const
const failed = happen.exited.data.exit
const succeeded = {type: 'code', code: 0} as const

interface Life {
  readonly exit?: ProcessExit
  readonly ranMs?: number
  /** How many did not last before. */
  readonly attempt?: number
  /** What happens between start and exit. */
  readonly drafts?: readonly Draft[]
}

function ended(policy: Partial<RestartPolicy>, {exit = failed, ranMs = 0, attempt = 0, drafts = []}: Life = {}) {
  const restart = {...usual, ...policy}
  const begun = [
    {...happen.createRequested, data: {request: {...happen.createRequested.data.request, restart}}},
    ...histories.running.slice(1),
    ...drafts,
  ]
  const {context} = given(...begun).ledger.snapshot
  const exitedAt = new Date(Date.parse(context.startedAt ?? '') + ranMs).toISOString()
  return planRestart({...context, attempt, exited: {...happen.exited.data, exit, exitedAt}})
}

describe('a restart', () => {
  it.each<[RestartPolicy['policy'], string, string]>([
    ['no', 'none', 'none'],
    ['on-failure', 'schedule', 'none'],
    ['always', 'schedule', 'schedule'],
    ['unless-stopped', 'schedule', 'schedule'],
  ])('by the policy %s follows a failure: %s, and a success: %s', (policy, afterFailure, afterSuccess) => {
    expect(ended({policy}).type).toBe(afterFailure)
    expect(ended({policy}, {exit: succeeded}).type).toBe(afterSuccess)
  })

  it('follows an exit whose status nobody knows, as it follows a failure', () => {
    expect(ended({policy: 'on-failure'}, {exit: {type: 'lost', reason: 'x'}}).type).toBe('schedule')
  })

  it('does not follow a stop, nor a signal that asks a program to end', () => {
    const kill = (signal: 'SIGTERM' | 'SIGKILL' | 'SIGHUP'): Draft => ({type: 'container.kill-requested', data: {signal}})
    expect(ended({}, {drafts: [happen.stopRequested]}).type).toBe('none')
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      expect(isStopSignal(signal)).toBe(true)
      expect(ended({}, {drafts: [kill(signal)]}).type).toBe('none')
    }
    expect(ended({}, {drafts: [kill('SIGHUP')]}).type).toBe('schedule')
  })

  it('waits twice as long each time, up to the longest delay', () => {
    const delays = [0, 1, 2, 3, 9, 10, 1_000].map((attempt) => ended({}, {attempt}))
    expect(delays).toEqual(
      [
        [1, 100],
        [2, 200],
        [3, 400],
        [4, 800],
        [10, 51_200],
        [11, 60_000],
        [1_001, 60_000],
      ].map(([attempt, delayMs]) => ({type: 'schedule', attempt, delayMs})),
    )
  })

  it('is the first one again when the program has run for the whole window', () => {
    expect(ended({}, {attempt: 5, ranMs: 9_999})).toMatchObject({attempt: 6})
    expect(ended({}, {attempt: 5, ranMs: 10_000})).toEqual({type: 'schedule', attempt: 1, delayMs: 100})
  })

  it('is given up after so many attempts in a row, as many as there were', () => {
    const policy = {policy: 'on-failure', maxRetries: 3} as const
    expect(ended(policy, {attempt: 2})).toMatchObject({type: 'schedule', attempt: 3})
    expect(ended(policy, {attempt: 3})).toEqual({type: 'give-up', attempts: 3})
    expect(ended(policy, {attempt: 3, ranMs: 10_000})).toMatchObject({type: 'schedule', attempt: 1})
  })

  it('does not follow a create that fails, but one that fails for a restart', () => {
    const {context} = given(happen.restartingRequested, happen.createFailed).ledger.snapshot
    expect(planRestart(context)).toEqual({type: 'none'})
    const waiting = [happen.restartingRequested, ...histories.stopped.slice(1), happen.restartScheduled, happen.restartDue]
    expect(planRestart(given(...waiting).ledger.snapshot.context)).toMatchObject({type: 'schedule', attempt: 2})
  })

  it('is asked for by the chart with what was planned, and its timer with what was chosen', () => {
    const running = [happen.restartingRequested, ...histories.running.slice(1)]
    expect(given(...running).then(happen.exited).effects).toContainEqual({type: 'restart.schedule', attempt: 1, delayMs: 100})
    const bootDue = {bootId: 'b', ms: 5}
    const scheduled = {...happen.restartScheduled, data: {...happen.restartScheduled.data, bootDue}}
    expect(given(...running, happen.exited).then(scheduled).effects).toEqual([
      {type: 'timer.arm', timer: 'restart', dueAt: new Date(epoch + 10_000).toISOString(), bootDue},
    ])
  })
})

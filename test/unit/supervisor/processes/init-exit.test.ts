import {expect, it} from 'vitest'
import type {Draft} from '../../../../machines/ledger/draft.ts'
import {createInitExit} from '../../../../src/supervisor/processes/init-exit.ts'
import {epoch} from '../../../support/given.ts'

/** Of this moment, which is later than the one in which the end was seen. */
const boot = {bootId: 'b', ms: 5_000}
const seen = {seenAtMs: epoch, seenBootMs: 7.4} as const
const killed = {type: 'signal', signal: 'SIGKILL'} as const

function open(oomKilled: boolean) {
  const steps: string[] = []
  const observed: Draft[] = []
  const onExit = createInitExit({
    execs: {killAll: () => void steps.push('kill added processes')},
    oom: {
      hasEnded: () => {
        steps.push('look for a kill')
        return oomKilled
      },
    },
    bootNow: () => boot,
    observe: async (draft) => {
      steps.push(draft.type)
      observed.push(draft)
      return undefined
    },
  })
  return {onExit, steps, observed}
}

it('kills what was added, whose ends come before that of init, and reports a kill before the exit that it caused', async () => {
  const {onExit, steps, observed} = open(true)
  await onExit({exit: killed, source: 'waitid', usage: {userMs: 1, systemMs: 2, maxRssBytes: 3}, ...seen})
  expect(steps).toEqual(['kill added processes', 'look for a kill', 'container.exited'])
  expect(observed).toEqual([
    {
      type: 'container.exited',
      data: {
        exit: killed,
        exitedAt: new Date(epoch).toISOString(),
        source: 'waitid',
        usage: {userMs: 1, systemMs: 2, maxRssBytes: 3},
        oomKilled: true,
        boot: {bootId: 'b', ms: 7},
      },
    },
  ])
})

it('says nothing of usage and of the kernel where there is nothing to say', async () => {
  const {onExit, observed} = open(false)
  await onExit({exit: {type: 'code', code: 0}, source: 'pidfd', ...seen})
  expect(observed).toEqual([
    {
      type: 'container.exited',
      data: {exit: {type: 'code', code: 0}, exitedAt: new Date(epoch).toISOString(), source: 'pidfd', boot: {bootId: 'b', ms: 7}},
    },
  ])
})

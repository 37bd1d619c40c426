import {expect, it} from 'vitest'
import type {Draft} from '../../../../machines/ledger/draft.ts'
import {createInitExit} from '../../../../src/supervisor/processes/init-exit.ts'
import {createFakeClock} from '../../../support/fake-clock.ts'
import {epoch} from '../../../support/given.ts'

const boot = {bootId: 'b', ms: 7}
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
    clock: createFakeClock(epoch),
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
  await onExit(killed, 'waitid', {userMs: 1, systemMs: 2, maxRssBytes: 3})
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
        boot,
      },
    },
  ])
})

it('says nothing of usage and of the kernel where there is nothing to say', async () => {
  const {onExit, observed} = open(false)
  await onExit({type: 'code', code: 0}, 'pidfd')
  expect(observed).toEqual([
    {
      type: 'container.exited',
      data: {exit: {type: 'code', code: 0}, exitedAt: new Date(epoch).toISOString(), source: 'pidfd', boot},
    },
  ])
})

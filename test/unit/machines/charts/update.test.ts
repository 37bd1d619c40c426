import {describe, expect, it} from 'vitest'
import {toContainerView} from '../../../../machines/views/container-view.ts'
import {isPossible, legalCommands} from '../../../../machines/commands/decide.ts'
import type {Draft} from '../../../../machines/ledger/draft.ts'
import {given, happen} from '../../../support/given.ts'
import {histories} from '../../support/histories.ts'

const {created, running} = histories
const paused = [...running, happen.pauseRequested, happen.paused]
const stopping = [...running, happen.stopRequested]
const {limits} = happen.updateRequested.data
const update = {type: 'update', limits} as const
const lives: readonly (readonly [string, string, readonly Draft[]])[] = [
  ['created', 'created', created],
  ['running', 'running', running],
  ['paused', 'running', paused],
  ['stopping', 'running', stopping],
]

describe.each(lives)('the limits of a container that is %s', (_, state, history) => {
  it('are changed while other commands wait', () => {
    expect(given(...history).when(update)).toEqual({type: 'accept', draft: happen.updateRequested})
    expect(given(...history).then(happen.updateRequested)).toMatchObject({state, effects: [{type: 'runtime.update', limits}]})
    const {when, then} = given(...history, happen.updateRequested)
    for (const command of [update, {type: 'kill', signal: 'SIGKILL'}, {type: 'delete', force: true}] as const)
      expect(when(command)).toEqual({type: 'defer'})
    for (const outcome of [happen.updated, happen.updateFailed]) {
      expect(then(outcome).state).toBe(state)
      expect(legalCommands(then(outcome).ledger)).toEqual(legalCommands(given(...history).ledger))
    }
  })

  it('are those by which memory is watched from then on', () => {
    const {init, cgroups} = happen.created.data
    const {then} = given(...history, happen.updateRequested)
    expect(then(happen.updated).effects).toEqual([{type: 'runtime.copy-state'}, {type: 'oom.watch', init, cgroups, known: 0}])
    expect(then(happen.updateFailed).effects).toEqual([])
  })

  it('have their outcome recorded before an exit that was observed meanwhile', () => {
    expect(isPossible(given(...history, happen.updateRequested).ledger, happen.exited)).toBe(false)
    for (const outcome of [happen.updated, happen.updateFailed])
      expect(given(...history, happen.updateRequested, outcome).then(happen.exited).state).toBe('stopped')
  })
})

describe('an update', () => {
  it.each(['stopped', 'failed'] as const)('is rejected when the container is %s', (state) => {
    expect(given(...histories[state]).when(update)).toMatchObject({type: 'reject', state})
  })

  it('does not delay the deadline of a stop', () => {
    expect(given(...stopping, happen.updateRequested).then(happen.stopTimedOut).effects).toEqual([
      {type: 'runtime.kill', signal: 'SIGKILL'},
    ])
  })

  it('is merged with the limits of the create request', () => {
    const request: Draft = {
      type: 'container.create-requested',
      data: {request: {...happen.createRequested.data.request, memoryBytes: 512, cpus: 2}},
    }
    const shown = (...drafts: readonly Draft[]) => toContainerView(given(request, happen.created, ...drafts).ledger)
    expect(shown()?.limits).toEqual({memoryBytes: 512, cpus: 2})
    expect(shown(happen.updateRequested)?.limits).toEqual({memoryBytes: 512, cpus: 2})
    expect(shown(happen.updateRequested, happen.updateFailed)).toMatchObject({
      limits: {memoryBytes: 512, cpus: 2},
      error: happen.updateFailed.data.error,
    })
    const done = shown(happen.updateRequested, happen.updated)
    expect(done?.limits).toEqual({memoryBytes: 1024, cpus: 2, pidsLimit: null})
    expect(done).not.toHaveProperty('error')
  })
})

import {describe, expect, it} from 'vitest'
import type {Draft} from '../../../../machines/ledger/draft.ts'
import {isPossible} from '../../../../machines/commands/decide.ts'
import {toContainerView} from '../../../../machines/views/container-view.ts'
import {type TopLevelState, topLevelStates} from '../../../../machines/charts/states.ts'
import {given, happen} from '../../../support/given.ts'
import {histories} from '../../support/histories.ts'

const oom = (killed: number): Draft => ({type: 'container.oom', data: {cgroup: '/sys/fs/cgroup/memory/x', killed}})
const {running} = histories

describe('the watch for kills because memory ran out', () => {
  const {init, cgroups} = happen.created.data

  it('begins with the init of a container, which a restored one has from its start', () => {
    expect(given(...histories.creating).then(happen.created).effects).toContainEqual({type: 'oom.watch', init, cgroups, known: 0})
    const {effects} = given(happen.checkpointedRequested, happen.prepared, happen.startRequested).then(happen.restored)
    expect(effects).toEqual([{type: 'oom.watch', ...happen.restored.data, known: 0}])
    expect(given(...histories.starting).then(happen.started).effects).toEqual([])
  })

  it('starts again at zero after a restart', () => {
    const waiting = [happen.restartingRequested, ...running.slice(1), oom(4), happen.exited, happen.restartScheduled]
    expect(given(...waiting, happen.restartDue).then(happen.created).effects).toContainEqual({type: 'oom.watch', init, cgroups, known: 0})
  })

  it('ends with init', () => {
    for (const history of [running, [...running, happen.forcedDelete]])
      expect(given(...history).then(happen.exited).effects).toContainEqual({type: 'oom.end'})
  })
})

describe('a kill because memory ran out', () => {
  it.each(topLevelStates)('in %s is reported while init is there and no start is in flight, and changes no state', (state) => {
    const told: readonly TopLevelState[] = ['created', 'running']
    const {ledger, then} = given(...histories[state])
    expect(isPossible(ledger, oom(1))).toBe(told.includes(state))
    if (told.includes(state)) expect(then(oom(1))).toMatchObject({state, effects: []})
  })

  it('during a forced delete is reported until the exit', () => {
    expect(isPossible(given(...running, happen.forcedDelete).ledger, oom(1))).toBe(true)
    expect(isPossible(given(...running, happen.forcedDelete, happen.exited).ledger, oom(1))).toBe(false)
  })

  it('is shown with the last count, and whether it ended init', () => {
    const view = (...drafts: readonly Draft[]) => toContainerView(given(...running, ...drafts).ledger)
    expect(view()).not.toHaveProperty('oomKills')
    expect(view(oom(1), oom(4))).toMatchObject({state: 'running', oomKills: 4})
    expect(view(oom(1), happen.exited)).toMatchObject({state: 'stopped', oomKills: 1})
    expect(view(oom(1), happen.exited)).not.toHaveProperty('oomKilled')
    const killed: Draft = {type: 'container.exited', data: {...happen.exited.data, oomKilled: true}}
    expect(view(oom(1), killed)).toMatchObject({oomKills: 1, oomKilled: true})
  })
})

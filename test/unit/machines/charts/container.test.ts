import {describe, expect, it} from 'vitest'
import type {Draft} from '../../../../machines/ledger/draft.ts'
import {legalCommands} from '../../../../machines/commands/decide.ts'
import {toTopLevelState} from '../../../../machines/ledger/ledger.ts'
import {epoch, given, happen} from '../../../support/given.ts'

const created = [happen.createRequested, happen.created]
const running = [...created, happen.startRequested, happen.started]
const stopped = [...running, happen.exited]

describe('the life of a container', () => {
  it('returns the effect runtime.create when a create is accepted', () => {
    const {state, effects} = given().then(happen.createRequested)
    expect(state).toBe('creating')
    expect(effects).toEqual([{type: 'runtime.create', request: happen.createRequested.data.request}])
  })

  it('goes created, starting, running, stopped, deleting, deleted', () => {
    expect(given(...created).then(happen.startRequested)).toMatchObject({state: 'starting', effects: [{type: 'runtime.start'}]})
    expect(given(...created, happen.startRequested).then(happen.started)).toMatchObject({state: 'running', effects: []})
    expect(given(...running).then(happen.exited)).toMatchObject({
      state: 'stopped',
      effects: [{type: 'oom.end'}, {type: 'health.end'}, {type: 'timer.cancel', timer: 'stop'}, {type: 'runtime.sweep'}],
    })
    expect(given(...stopped).then(happen.deleteRequested)).toMatchObject({state: 'deleting', effects: [{type: 'runtime.delete'}]})
    expect(given(...stopped, happen.deleteRequested).then(happen.deleted)).toMatchObject({
      state: 'deleted',
      effects: [{type: 'supervisor.end'}],
    })
  })

  it('requests its own deletion after an exit when it was created with autoRemove', () => {
    const {effects} = given(happen.autoRemoveRequested, happen.created, happen.startRequested, happen.started).then(happen.exited)
    expect(effects.map(({type}) => type)).toEqual(['oom.end', 'health.end', 'timer.cancel', 'runtime.sweep', 'request.delete'])
  })

  it('requests its own deletion after a failed create', () => {
    expect(given(happen.createRequested).then(happen.createFailed)).toMatchObject({
      state: 'failed',
      effects: [{type: 'request.delete', reason: 'create failed'}],
    })
  })

  it('does not accept an exit before the start has an outcome', () => {
    const starting = given(...created, happen.startRequested)
    expect(() => starting.then(happen.exited)).toThrow('container.exited is impossible in state starting')
  })

  it('is created again after a failed start, so that the exit of its init can follow', () => {
    const failed = given(...created, happen.startRequested, happen.startFailed)
    expect(toTopLevelState(failed.ledger)).toBe('created')
    expect(failed.then(happen.exited).state).toBe('stopped')
  })

  it('sends the signal of a stop, then SIGKILL when the grace period has passed', () => {
    const {effects} = given(...running).then(happen.stopRequested)
    expect(effects).toEqual([
      {type: 'runtime.kill', signal: 'SIGTERM'},
      {type: 'timer.arm', timer: 'stop', dueAt: new Date(epoch + 10_000).toISOString()},
    ])
    expect(given(...running, happen.stopRequested).then(happen.stopTimedOut).effects).toEqual([{type: 'runtime.kill', signal: 'SIGKILL'}])
  })

  it('deletes a running container only by force, and records its exit before it is deleted', () => {
    expect(given(...running).when({type: 'delete', force: false})).toMatchObject({type: 'reject', state: 'running'})
    expect(given(...running).then(happen.forcedDelete)).toMatchObject({state: 'deleting'})
    expect(given(...running, happen.forcedDelete).then(happen.exited)).toMatchObject({
      state: 'deleting',
      effects: [{type: 'oom.end'}, {type: 'health.end'}],
    })
  })

  it.each<[string, readonly Draft[], string]>([
    ['stopped', [...stopped, happen.deleteRequested], 'stopped'],
    ['running', [...running, happen.forcedDelete], 'running'],
    ['created', [...created, happen.deleteRequested], 'created'],
    ['failed', [happen.createRequested, happen.createFailed, happen.deleteRequested], 'failed'],
  ])('is %s again when its delete fails', (_, history, state) => {
    expect(given(...history).then(happen.deleteFailed).state).toBe(state)
  })

  it('accepts the outcome of a kill after the exit that it caused', () => {
    expect(given(...running, happen.killRequested, happen.exited).then(happen.signalled)).toMatchObject({state: 'stopped', effects: []})
  })
})

describe('what is legal when', () => {
  it.each<[string, readonly Draft[], readonly string[]]>([
    ['created', created, ['start', 'kill', 'update', 'delete']],
    ['running', running, ['kill', 'stop', 'pause', 'checkpoint', 'update']],
    ['stopped', stopped, ['delete']],
    ['failed', [happen.createRequested, happen.createFailed], ['delete']],
  ])('in %s', (_, history, legal) => {
    expect(legalCommands(given(...history).ledger)).toEqual(legal)
  })

  it('rejects with the state and the legal commands', () => {
    expect(given(...running).when({type: 'start'})).toEqual({
      type: 'reject',
      state: 'running',
      legal: ['kill', 'stop', 'pause', 'checkpoint', 'update'],
    })
  })

  it('waits while an effect is in flight', () => {
    expect(given(happen.createRequested).when({type: 'start'})).toEqual({type: 'defer'})
  })

  it('treats a stop as satisfied when stopped, and joins it while SIGKILL is in progress', () => {
    expect(given(...stopped).when({type: 'stop', signal: 'SIGTERM', graceMs: 1})).toEqual({type: 'satisfied'})
    const killing = given(...running, happen.stopRequested, happen.stopTimedOut)
    expect(killing.when({type: 'stop', signal: 'SIGTERM', graceMs: 1})).toEqual({type: 'join'})
  })
})

describe('a history', () => {
  it('with a gap is rejected', () => {
    expect(() => given(...created).ledger && given(happen.created)).toThrow('impossible in state absent')
  })
})

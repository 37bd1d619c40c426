import {describe, expect, it} from 'vitest'
import {toContainerView} from '../../../../machines/views/container-view.ts'
import {isPossible, legalCommands} from '../../../../machines/commands/decide.ts'
import {given, happen} from '../../../support/given.ts'
import {histories} from '../../support/histories.ts'

const running = histories.running
const paused = [...running, happen.pauseRequested, happen.paused]
const resume = {type: 'runtime.resume'}

describe('a running container', () => {
  it('is paused and resumed, while commands wait', () => {
    expect(given(...running).then(happen.pauseRequested).effects).toEqual([{type: 'runtime.pause'}])
    expect(given(...running, happen.pauseRequested).when({type: 'resume'})).toEqual({type: 'defer'})
    expect(given(...running, happen.pauseRequested).then(happen.paused)).toMatchObject({state: 'running', effects: []})
    expect(given(...paused).then(happen.resumeRequested).effects).toEqual([resume])
    expect(given(...paused, happen.resumeRequested).when({type: 'pause'})).toEqual({type: 'defer'})
    expect(legalCommands(given(...paused, happen.resumeRequested, happen.resumed).ledger)).toEqual([
      'kill',
      'stop',
      'pause',
      'checkpoint',
      'update',
    ])
  })

  it('keeps its state when the runtime fails', () => {
    expect(legalCommands(given(...running, happen.pauseRequested, happen.pauseFailed).ledger)).toEqual([
      'kill',
      'stop',
      'pause',
      'checkpoint',
      'update',
    ])
    expect(legalCommands(given(...paused, happen.resumeRequested, happen.resumeFailed).ledger)).toEqual([
      'kill',
      'stop',
      'resume',
      'checkpoint',
      'update',
    ])
  })

  it('has its exit recorded after the outcome of a pause or resume in flight', () => {
    for (const inFlight of [
      [...running, happen.pauseRequested],
      [...paused, happen.resumeRequested],
    ]) {
      expect(isPossible(given(...inFlight).ledger, happen.exited)).toBe(false)
    }
    expect(given(...running, happen.pauseRequested, happen.pauseFailed).then(happen.exited).state).toBe('stopped')
    expect(given(...paused, happen.resumeRequested, happen.resumed).then(happen.exited).state).toBe('stopped')
  })
})

describe('a paused container', () => {
  it('is paused or running after a failed forced delete, like its processes', () => {
    const {data} = happen.deleteFailed
    const failed = given(...paused, happen.forcedDelete).then({type: 'container.delete-failed', data: {...data, paused: true}})
    expect(legalCommands(failed.ledger)).toEqual(['kill', 'stop', 'resume', 'checkpoint', 'update'])
    expect(toContainerView(failed.ledger)?.pausedAt).toBeDefined()
    const thawed = given(...paused, happen.forcedDelete).then(happen.deleteFailed)
    expect(legalCommands(thawed.ledger)).toEqual(['kill', 'stop', 'pause', 'checkpoint', 'update'])
    expect(toContainerView(thawed.ledger)?.pausedAt).toBeUndefined()
  })

  it('can be killed, stopped and resumed, but neither paused, started nor deleted', () => {
    expect(legalCommands(given(...paused).ledger)).toEqual(['kill', 'stop', 'resume', 'checkpoint', 'update'])
  })

  it('is thawed by a stop, so that it can end during the grace period', () => {
    expect(
      given(...paused)
        .then(happen.stopRequested)
        .effects.map(({type}) => type)
        .sort(),
    ).toEqual(['runtime.kill', 'runtime.resume', 'timer.arm'])
  })

  it('is thawed by SIGKILL, and by no other signal', () => {
    expect(given(...paused).then(happen.fatalKillRequested).effects).toEqual([{type: 'runtime.kill', signal: 'SIGKILL'}, resume])
    expect(given(...paused).then(happen.killRequested).effects).toEqual([{type: 'runtime.kill', signal: 'SIGHUP'}])
  })

  it('is thawed at the deadline of a stop, even if it is paused at that moment', () => {
    const pausedAgain = [...running, happen.stopRequested, happen.pauseRequested]
    const kill = {type: 'runtime.kill', signal: 'SIGKILL'}
    expect(given(...pausedAgain, happen.paused).then(happen.stopTimedOut).effects).toEqual(expect.arrayContaining([kill, resume]))
    expect(given(...pausedAgain, happen.stopTimedOut).then(happen.paused).effects).toEqual([resume])
  })
})

import {describe, expect, it} from 'vitest'
import {isPossible, legalCommands} from '../../../../machines/commands/decide.ts'
import {toContainerView} from '../../../../machines/views/container-view.ts'
import {given, happen} from '../../../support/given.ts'
import {histories} from '../../support/histories.ts'

const running = histories.running
const checkpointing = [...running, happen.checkpointRequested]
const prepared = [happen.checkpointedRequested, happen.prepared]
const {checkpoint} = happen.checkpointRequested.data

describe('a checkpoint', () => {
  it('is taken while running or paused, while commands wait', () => {
    for (const history of [running, [...running, happen.pauseRequested, happen.paused]]) {
      expect(given(...history).when({type: 'checkpoint', checkpoint})).toEqual({type: 'accept', draft: happen.checkpointRequested})
      expect(given(...history).then(happen.checkpointRequested).effects).toEqual([{type: 'runtime.checkpoint', checkpoint}])
    }
    expect(given(...checkpointing).when({type: 'kill', signal: 'SIGTERM'})).toEqual({type: 'defer'})
    expect(toContainerView(given(...checkpointing).ledger)?.inFlight?.state).toBe('checkpointing')
    expect(given(...histories.created).when({type: 'checkpoint', checkpoint})).toMatchObject({type: 'reject', state: 'created'})
  })

  it('is recorded before the exit that it causes', () => {
    expect(isPossible(given(...checkpointing).ledger, happen.exited)).toBe(false)
    const {state, ledger} = given(...checkpointing, happen.checkpointed).then(happen.exited)
    expect(state).toBe('stopped')
    expect(toContainerView(ledger)?.checkpoint).toMatchObject({image: '/checkpoint', leaveRunning: false})
  })

  it('that fails leaves the container unchanged and records the error', () => {
    const {ledger} = given(...checkpointing, happen.checkpointFailed)
    expect(legalCommands(ledger)).toEqual(legalCommands(given(...running).ledger))
    expect(toContainerView(ledger)?.error).toMatchObject({code: 'CHECKPOINT_FAILED'})
  })
})

describe('a container that is created from a checkpoint', () => {
  it('has no processes before its start: it can only be started or deleted', () => {
    expect(legalCommands(given(...prepared).ledger)).toEqual(['start', 'delete'])
    expect(given(...prepared).when({type: 'exec', exec: 'e', spec: {args: ['sh'], env: [], autoRemove: false}})).toMatchObject({
      type: 'reject',
      state: 'created',
    })
    expect(given(...prepared).when({type: 'resize', columns: 80, rows: 24})).toMatchObject({type: 'reject'})
  })

  it('has processes after the start, whose event contains init', () => {
    expect(given(...prepared).then(happen.startRequested).effects).toEqual([{type: 'runtime.restore', checkpoint: {image: '/checkpoint'}}])
    const {state, ledger} = given(...prepared, happen.startRequested).then(happen.restored)
    expect(state).toBe('running')
    expect(toContainerView(ledger)).toMatchObject({pid: 43, restoredFrom: '/checkpoint'})
    expect(ledger.snapshot.context.cgroups).toEqual(['/sys/fs/cgroup/pids/y'])
  })

  it('can be started again after a failed start, and keeps its state after a failed delete', () => {
    const failed = given(...prepared, happen.startRequested).then(happen.startFailed)
    expect(legalCommands(failed.ledger)).toEqual(['start', 'delete'])
    const kept = given(...prepared, happen.deleteRequested).then(happen.deleteFailed)
    expect(legalCommands(kept.ledger)).toEqual(['start', 'delete'])
  })
})

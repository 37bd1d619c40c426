import {describe, expect, it} from 'vitest'
import type {Draft} from '../../../../machines/ledger/draft.ts'
import {isAwaited, isPossible} from '../../../../machines/commands/decide.ts'
import {epoch, given, happen} from '../../../support/given.ts'

const at = new Date(epoch).toISOString()
const identity = {pid: 77, startTimeTicks: 5, bootId: 'b'}
const added = (autoRemove = false): Draft => ({
  type: 'exec.added',
  data: {exec: 'x', spec: {args: ['sh'], env: [], autoRemove, terminal: true, stdin: true}},
})
const started: Draft = {type: 'exec.started', data: {exec: 'x', process: identity}}
const startRequested: Draft = {type: 'exec.start-requested', data: {exec: 'x'}}
const startFailed: Draft = {type: 'exec.start-failed', data: {exec: 'x', error: happen.startFailed.data.error}}
const exited: Draft = {type: 'exec.exited', data: {exec: 'x', exit: {type: 'code', code: 3}, exitedAt: at, source: 'waitid'}}
const deleteRequested: Draft = {type: 'exec.delete-requested', data: {exec: 'x'}}
const deleted: Draft = {type: 'exec.deleted', data: {exec: 'x'}}
const running = [happen.createRequested, happen.created, happen.startRequested, happen.started]
const withProcess = [...running, added(), startRequested, started]

describe('an added process', () => {
  it('is started with its specification and the current size of its terminal', () => {
    const resized: Draft = {type: 'exec.resized', data: {exec: 'x', columns: 100, rows: 30}}
    const spec = {args: ['sh'], env: [], autoRemove: false, terminal: true, stdin: true, consoleSize: {columns: 100, rows: 30}}
    expect(given(...running, added(), resized).then(startRequested).effects).toEqual([{type: 'exec.start', exec: 'x', spec}])
  })

  it('can be started again after a failed start, or is deleted with autoRemove', () => {
    expect(given(...running, added(), startRequested).then(startFailed).effects).toEqual([])
    expect(given(...running, added(true), startRequested).then(startFailed).effects).toEqual([
      {type: 'request.exec-delete', exec: 'x', reason: 'start failed'},
    ])
  })

  it('ends its output, and requests its deletion with autoRemove', () => {
    expect(given(...withProcess).then(exited).effects).toEqual([{type: 'exec.end', exec: 'x'}])
    expect(given(...running, added(true), startRequested, started).then(exited).effects).toEqual([
      {type: 'exec.end', exec: 'x'},
      {type: 'request.exec-delete', exec: 'x', reason: 'auto-remove'},
    ])
  })

  it('is removed when it is deleted, and its id can be used again', () => {
    const {ledger} = given(...withProcess, exited, deleteRequested, deleted)
    expect([...ledger.processes.keys()]).toEqual([])
    expect(isPossible(ledger, added())).toBe(true)
  })

  it('changes neither the state of its container nor its time', () => {
    const before = given(...running).ledger
    const after = given(...withProcess, exited).ledger
    expect(after.snapshot.value).toEqual(before.snapshot.value)
    expect(after.since).toBe(before.since)
  })

  it.each<[string, readonly Draft[]]>([
    ['before the container is created', [happen.createRequested]],
    ['while the container is paused', [...running, happen.pauseRequested, happen.paused]],
    ['when the container has ended', [...running, happen.exited]],
  ])('cannot be added %s', (_, history) => {
    expect(isPossible(given(...history).ledger, added())).toBe(false)
  })
})

describe('the end of init', () => {
  it.each<[string, readonly Draft[]]>([
    ['is being started', [...running, added(), startRequested]],
    ['runs', withProcess],
  ])('is recorded after the end of a process that %s', (_, history) => {
    const {ledger} = given(...history)
    expect(isPossible(ledger, happen.exited)).toBe(false)
    expect(isAwaited(ledger, happen.exited)).toBe(true)
  })

  it('does not wait for processes that have ended or were never started', () => {
    for (const history of [
      [...withProcess, exited],
      [...running, added()],
      [...running, added(), startRequested, startFailed],
    ])
      expect(isPossible(given(...history).ledger, happen.exited)).toBe(true)
  })

  it('waits during a forced delete as well', () => {
    const deleting = [...withProcess, happen.forcedDelete]
    expect(isPossible(given(...deleting).ledger, happen.exited)).toBe(false)
    expect(isPossible(given(...deleting, exited).ledger, happen.exited)).toBe(true)
  })
})

describe('the end of an added process', () => {
  it('is recorded after the outcome of its start', () => {
    const {ledger} = given(...running, added(), startRequested)
    expect([isPossible(ledger, exited), isAwaited(ledger, exited)]).toEqual([false, true])
  })

  it('is not expected of an unknown process', () => {
    expect(isAwaited(given(...running).ledger, exited)).toBe(false)
  })
})

describe('a command for an added process', () => {
  const decide = (history: readonly Draft[], command: Parameters<ReturnType<typeof given>['when']>[0]) => given(...history).when(command)

  it('waits while its container is in flight, if it depends on the container', () => {
    const pausing = [...withProcess, happen.pauseRequested]
    expect(decide(pausing, {type: 'exec', exec: 'y', spec: {args: ['sh'], env: [], autoRemove: false}})).toEqual({type: 'defer'})
    expect(decide(pausing, {type: 'exec-kill', exec: 'x', signal: 'SIGTERM'}).type).toBe('accept')
  })

  it('waits while the process itself is in flight', () => {
    expect(decide([...running, added(), startRequested], {type: 'exec-kill', exec: 'x', signal: 'SIGTERM'})).toEqual({type: 'defer'})
  })

  it('joins a deletion in flight', () => {
    expect(decide([...withProcess, exited, deleteRequested], {type: 'exec-delete', exec: 'x'})).toEqual({type: 'join'})
  })

  it('is rejected for an unknown, an existing or an ended process', () => {
    expect(decide(running, {type: 'exec-start', exec: 'x'})).toMatchObject({type: 'reject-exec', reason: 'unknown'})
    expect(decide(withProcess, {type: 'exec', exec: 'x', spec: {args: ['sh'], env: [], autoRemove: false}})).toMatchObject({
      reason: 'exists',
    })
    expect(decide([...withProcess, exited], {type: 'exec-kill', exec: 'x', signal: 'SIGTERM'})).toMatchObject({reason: 'ended'})
    expect(decide(withProcess, {type: 'exec-start', exec: 'x'})).toMatchObject({reason: 'illegal', state: 'running'})
  })

  it('that closes a closed input is satisfied', () => {
    const closed: Draft = {type: 'exec.stdin-closed', data: {exec: 'x'}}
    expect(decide([...withProcess, closed], {type: 'exec-close-stdin', exec: 'x'})).toEqual({type: 'satisfied'})
    expect(decide([...withProcess, exited], {type: 'exec-close-stdin', exec: 'x'})).toEqual({type: 'satisfied'})
  })
})

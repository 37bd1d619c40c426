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
  it('is started with what it was added with, in the size that its terminal has by then', () => {
    const resized: Draft = {type: 'exec.resized', data: {exec: 'x', columns: 100, rows: 30}}
    const spec = {args: ['sh'], env: [], autoRemove: false, terminal: true, stdin: true, consoleSize: {columns: 100, rows: 30}}
    expect(given(...running, added(), resized).then(startRequested).effects).toEqual([{type: 'exec.start', exec: 'x', spec}])
  })

  it('waits for another start when the first has failed, and goes when it removes itself', () => {
    expect(given(...running, added(), startRequested).then(startFailed).effects).toEqual([])
    expect(given(...running, added(true), startRequested).then(startFailed).effects).toEqual([
      {type: 'request.exec-delete', exec: 'x', reason: 'start failed'},
    ])
  })

  it('ends its output, and removes itself when it was told to', () => {
    expect(given(...withProcess).then(exited).effects).toEqual([{type: 'exec.end', exec: 'x'}])
    expect(given(...running, added(true), startRequested, started).then(exited).effects).toEqual([
      {type: 'exec.end', exec: 'x'},
      {type: 'request.exec-delete', exec: 'x', reason: 'auto-remove'},
    ])
  })

  it('is forgotten when it is deleted, and its id is free', () => {
    const {ledger} = given(...withProcess, exited, deleteRequested, deleted)
    expect([...ledger.processes.keys()]).toEqual([])
    expect(isPossible(ledger, added())).toBe(true)
  })

  it('does not change the state of its container, nor since when that is', () => {
    const before = given(...running).ledger
    const after = given(...withProcess, exited).ledger
    expect(after.snapshot.value).toEqual(before.snapshot.value)
    expect(after.since).toBe(before.since)
  })

  it.each<[string, readonly Draft[]]>([
    ['before the container is made', [happen.createRequested]],
    ['while it is frozen', [...running, happen.pauseRequested, happen.paused]],
    ['when it has ended', [...running, happen.exited]],
  ])('cannot be added %s', (_, history) => {
    expect(isPossible(given(...history).ledger, added())).toBe(false)
  })
})

describe('the end of init', () => {
  it.each<[string, readonly Draft[]]>([
    ['is being started', [...running, added(), startRequested]],
    ['runs', withProcess],
  ])('waits for that of a process which %s', (_, history) => {
    const {ledger} = given(...history)
    expect(isPossible(ledger, happen.exited)).toBe(false)
    expect(isAwaited(ledger, happen.exited)).toBe(true)
  })

  it('waits for none that has ended, or was never started', () => {
    for (const history of [
      [...withProcess, exited],
      [...running, added()],
      [...running, added(), startRequested, startFailed],
    ])
      expect(isPossible(given(...history).ledger, happen.exited)).toBe(true)
  })

  it('waits also in a forced delete', () => {
    const deleting = [...withProcess, happen.forcedDelete]
    expect(isPossible(given(...deleting).ledger, happen.exited)).toBe(false)
    expect(isPossible(given(...deleting, exited).ledger, happen.exited)).toBe(true)
  })
})

describe('the end of an added process', () => {
  it('waits for the outcome of its start', () => {
    const {ledger} = given(...running, added(), startRequested)
    expect([isPossible(ledger, exited), isAwaited(ledger, exited)]).toEqual([false, true])
  })

  it('is not awaited of one that is not there', () => {
    expect(isAwaited(given(...running).ledger, exited)).toBe(false)
  })
})

describe('a command for an added process', () => {
  const decide = (history: readonly Draft[], command: Parameters<ReturnType<typeof given>['when']>[0]) => given(...history).when(command)

  it('waits while its container is in flight, if it needs that', () => {
    const pausing = [...withProcess, happen.pauseRequested]
    expect(decide(pausing, {type: 'exec', exec: 'y', spec: {args: ['sh'], env: [], autoRemove: false}})).toEqual({type: 'defer'})
    expect(decide(pausing, {type: 'exec-kill', exec: 'x', signal: 'SIGTERM'}).type).toBe('accept')
  })

  it('waits while the process itself is in flight', () => {
    expect(decide([...running, added(), startRequested], {type: 'exec-kill', exec: 'x', signal: 'SIGTERM'})).toEqual({type: 'defer'})
  })

  it('joins a deletion that is under way', () => {
    expect(decide([...withProcess, exited, deleteRequested], {type: 'exec-delete', exec: 'x'})).toEqual({type: 'join'})
  })

  it('is refused of what there is not, of what there is already, and of what has ended', () => {
    expect(decide(running, {type: 'exec-start', exec: 'x'})).toMatchObject({type: 'reject-exec', reason: 'unknown'})
    expect(decide(withProcess, {type: 'exec', exec: 'x', spec: {args: ['sh'], env: [], autoRemove: false}})).toMatchObject({
      reason: 'exists',
    })
    expect(decide([...withProcess, exited], {type: 'exec-kill', exec: 'x', signal: 'SIGTERM'})).toMatchObject({reason: 'ended'})
    expect(decide(withProcess, {type: 'exec-start', exec: 'x'})).toMatchObject({reason: 'illegal', state: 'running'})
  })

  it('to close what is closed is satisfied', () => {
    const closed: Draft = {type: 'exec.stdin-closed', data: {exec: 'x'}}
    expect(decide([...withProcess, closed], {type: 'exec-close-stdin', exec: 'x'})).toEqual({type: 'satisfied'})
    expect(decide([...withProcess, exited], {type: 'exec-close-stdin', exec: 'x'})).toEqual({type: 'satisfied'})
  })
})

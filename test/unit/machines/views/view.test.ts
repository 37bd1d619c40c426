import {describe, expect, it} from 'vitest'
import type {Draft} from '../../../../machines/ledger/draft.ts'
import {type TopLevelState, topLevelStates} from '../../../../machines/charts/states.ts'
import {emptyLedger, foldEvents} from '../../../../machines/ledger/ledger.ts'
import {toContainerView} from '../../../../machines/views/container-view.ts'
import {containerViewSchema} from '../../../../machines/views/view.ts'
import {given, happen, toHistory} from '../../../support/given.ts'
import {histories, stopping} from '../../support/histories.ts'

const viewOf = (drafts: readonly Draft[], supervisorPid?: number) => toContainerView(given(...drafts).ledger, supervisorPid)
const at = (second: number) => `2026-01-02T03:04:${String(5 + second).padStart(2, '0')}.000Z`

const always = {
  node: 'node',
  namespace: 'default',
  id: 'web',
  uid: 'u1',
  args: ['sh'],
  rootfs: '/srv/rootfs',
  autoRemove: false,
  requestedAt: at(0),
}
const exit = {exit: {type: 'code', code: 7}, exitedAt: at(0)}
const {error} = happen.createFailed.data

const views: Readonly<Record<Exclude<TopLevelState, 'absent'>, object>> = {
  creating: {since: at(0), inFlight: {state: 'creating', since: at(0)}, eventCount: 1},
  created: {since: at(1), pid: 42, createdAt: at(1), eventCount: 2},
  starting: {since: at(2), inFlight: {state: 'starting', since: at(2)}, pid: 42, createdAt: at(1), eventCount: 3},
  running: {since: at(3), pid: 42, createdAt: at(1), startedAt: at(3), eventCount: 4},
  stopped: {since: at(4), createdAt: at(1), startedAt: at(3), ...exit, eventCount: 5},
  waiting: {
    since: at(5),
    createdAt: at(1),
    startedAt: at(3),
    ...exit,
    restart: {policy: 'always', delayMs: 100, maxDelayMs: 60_000, windowMs: 10_000, attempt: 1},
    restartDueAt: happen.restartScheduled.data.dueAt,
    eventCount: 6,
  },
  failed: {since: at(1), error, eventCount: 2},
  deleting: {since: at(5), inFlight: {state: 'deleting', since: at(5)}, createdAt: at(1), startedAt: at(3), ...exit, eventCount: 6},
  deleted: {since: at(6), createdAt: at(1), startedAt: at(3), ...exit, eventCount: 7},
}

describe('the view of a container', () => {
  it.each(topLevelStates.filter((state) => state !== 'absent'))('that is %s has exactly the fields of that state', (state) => {
    const view = viewOf(histories[state])
    expect(view).toStrictEqual({...always, state, ...views[state]})
    expect(containerViewSchema.parse(JSON.parse(JSON.stringify(view)))).toEqual(view)
  })

  it('that is absent is undefined', () => {
    expect(toContainerView(emptyLedger)).toBeUndefined()
  })

  it('contains the supervisor when it is known', () => {
    expect(viewOf(histories.running, 7)).toStrictEqual({...always, state: 'running', ...views.running, supervisorPid: 7})
  })

  it('shows a stop in progress until the exit', () => {
    expect(viewOf([...histories.running, happen.pauseRequested])).toMatchObject({
      state: 'running',
      since: at(3),
      inFlight: {state: 'pausing', since: at(4)},
    })
    expect(viewOf(stopping)).toMatchObject({state: 'running', since: at(3), stop: happen.stopRequested.data})
    expect(viewOf([...stopping, happen.exited])).not.toHaveProperty('stop')
  })

  it('shows the error of a failed start until one succeeds', () => {
    const failed = [...histories.starting, happen.startFailed]
    expect(viewOf(failed)).toMatchObject({state: 'created', error: happen.startFailed.data.error})
    expect(viewOf([...failed, happen.startRequested, happen.started])).not.toHaveProperty('error')
  })

  it('of a bundle has the command line of the bundle', () => {
    const request: Draft = {
      type: 'container.create-requested',
      data: {request: {namespace: 'default', autoRemove: false, bundle: '/srv/bundle'}},
    }
    expect(viewOf([request])).toMatchObject({bundle: '/srv/bundle', args: []})
    expect(viewOf([request, happen.created])).toMatchObject({bundle: '/srv/bundle', args: ['sh']})
    expect(viewOf([request, happen.created])).not.toHaveProperty('rootfs')
  })

  it('of an invalid source is undefined', () => {
    const history = toHistory(histories.running).map((event) => ({...event, source: '/elsewhere'}))
    expect(toContainerView(foldEvents(history))).toBeUndefined()
  })
})

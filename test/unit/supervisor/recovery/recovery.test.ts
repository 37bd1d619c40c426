import {describe, expect, it} from 'vitest'
import {isPossible} from '../../../../machines/commands/decide.ts'
import type {Draft} from '../../../../machines/ledger/draft.ts'
import type {Effect} from '../../../../machines/charts/effects.ts'
import {type TopLevelState, topLevelStates} from '../../../../machines/charts/states.ts'
import {applyEvent} from '../../../../machines/ledger/ledger.ts'
import {planRecovery, type RecoveryPlan} from '../../../../src/supervisor/recovery/recovery.ts'
import {given, happen, toHistory} from '../../../support/given.ts'
import {histories, killing, stopping} from '../../support/histories.ts'

const now = '2026-01-02T04:00:00.000Z'
const statuses = [undefined, 'creating', 'created', 'running', 'paused', 'stopped'] as const

const lost: Draft = {
  type: 'container.exited',
  data: {exit: {type: 'lost', reason: 'it ended while it had no supervisor'}, exitedAt: now, source: 'none'},
}
const interrupted = (what: string) => ({
  error: {code: 'SUPERVISOR_FAILED', kind: 'unavailable', message: `the supervisor died during ${what}`, details: {}},
})
const createFailed: Draft = {type: 'container.create-failed', data: interrupted('create')}
const startFailed: Draft = {type: 'container.start-failed', data: interrupted('start')}
const requestDelete = (reason: string): Effect => ({type: 'request.delete', reason})
const plan = (facts: readonly Draft[], ...effects: readonly Effect[]): Omit<RecoveryPlan, 'first'> => ({
  facts,
  effects,
  opened: [],
  watched: [],
  isRestoreUndone: false,
})

const rearm: Effect = {type: 'timer.arm', timer: 'restart', dueAt: happen.restartScheduled.data.dueAt}

/** What is planned where the runtime's word does not matter: with init alive, and with init gone. */
const table: Readonly<
  Record<Exclude<TopLevelState, 'starting'>, readonly [alive: Omit<RecoveryPlan, 'first'>, gone: Omit<RecoveryPlan, 'first'>]>
> = {
  absent: [plan([], {type: 'supervisor.end'}), plan([], {type: 'supervisor.end'})],
  creating: [plan([createFailed]), plan([createFailed])],
  created: [plan([]), plan([lost])],
  running: [plan([]), plan([lost])],
  stopped: [plan([], {type: 'runtime.sweep'}), plan([], {type: 'runtime.sweep'})],
  waiting: [plan([], rearm), plan([], rearm)],
  failed: [plan([], requestDelete('create failed')), plan([], requestDelete('create failed'))],
  deleting: [plan([], {type: 'runtime.delete'}), plan([], {type: 'runtime.delete'})],
  deleted: [plan([], {type: 'supervisor.end'}), plan([], {type: 'supervisor.end'})],
}

const found = {isExecuted: false, isRebooted: false, findExec: () => undefined, now} as const
function recover(drafts: readonly Draft[], initAlive: boolean, runtimeStatus?: string): Omit<RecoveryPlan, 'first'> {
  const {first: _, ...rest} = planRecovery(given(...drafts).ledger, {...found, initAlive, runtimeStatus})
  return rest
}

describe('the recovery of a container', () => {
  const cases = topLevelStates
    .filter((state) => state !== 'starting')
    .flatMap((state) =>
      statuses.flatMap((status) => [
        {state, status, initAlive: true},
        {state, status, initAlive: false},
      ]),
    )

  it.each(cases)('that was $state, init alive: $initAlive, runtime says $status', ({state, status, initAlive}) => {
    expect(recover(histories[state], initAlive, status)).toEqual(table[state][initAlive ? 0 : 1])
  })

  it.each(statuses)('that was starting, with init alive and the runtime saying %s', (status) => {
    const expected = status === 'running' ? plan([happen.started]) : plan([], {type: 'runtime.start'})
    expect(recover(histories.starting, true, status)).toEqual(expected)
  })

  it.each(statuses)('that was starting, with init gone and the runtime saying %s', (status) => {
    expect(recover(histories.starting, false, status)).toEqual(plan([startFailed, lost]))
  })

  it('that was starting, and whose program has been executed and has ended meanwhile, was started', () => {
    const {ledger} = given(...histories.starting)
    const facts = (initAlive: boolean) => planRecovery(ledger, {...found, isExecuted: true, initAlive, runtimeStatus: 'stopped'}).facts
    expect(facts(true)).toEqual([happen.started])
    expect(facts(false)).toEqual([happen.started, lost])
  })

  it('says of an exit that nobody can know when the host was booted in between', () => {
    const {facts} = planRecovery(given(...histories.running).ledger, {
      ...found,
      initAlive: false,
      isRebooted: true,
      runtimeStatus: undefined,
    })
    expect(facts).toMatchObject([{data: {exit: {type: 'lost', reason: 'the host was rebooted'}}}])
  })

  it('arms the deadline of a stop again, unless init has gone meanwhile', () => {
    const arm = {type: 'timer.arm', timer: 'stop', dueAt: happen.stopRequested.data.dueAt} as const
    expect(recover([...stopping, {...happen.signalled, data: {signal: 'SIGTERM'}}], true, 'running')).toEqual(plan([], arm))
    expect(recover(stopping, false, 'stopped')).toEqual(plan([lost]))
  })

  it('finishes a pause or resume that was in flight, or tells that it failed when everything has ended', () => {
    const pausing = [...histories.running, happen.pauseRequested]
    const resuming = [...pausing, happen.paused, happen.resumeRequested]
    const died = (what: string) => ({
      code: 'SUPERVISOR_FAILED',
      kind: 'unavailable',
      message: `the supervisor died during ${what}`,
      details: {},
    })
    expect(recover(pausing, true, 'running')).toEqual(plan([], {type: 'runtime.pause'}))
    expect(recover(pausing, true, 'paused')).toEqual(plan([happen.paused]))
    expect(recover(pausing, false)).toEqual(plan([{type: 'container.pause-failed', data: {error: died('pause')}}, lost]))
    expect(recover(resuming, true, 'paused')).toEqual(plan([], {type: 'runtime.resume'}))
    expect(recover(resuming, true, 'running')).toEqual(plan([happen.resumed]))
    expect(recover(resuming, false)).toEqual(plan([{type: 'container.resume-failed', data: {error: died('resume')}}, lost]))
  })

  it.each([
    ['created', histories.created],
    ['running', histories.running],
  ])('carries out again an update that was in flight, or tells that it failed when init has ended: %s', (_, history) => {
    const updating = [...history, happen.updateRequested]
    const update = {type: 'runtime.update', limits: happen.updateRequested.data.limits} as const
    const failed: Draft = {type: 'container.update-failed', data: interrupted('update')}
    expect(recover(updating, true, 'running')).toEqual(plan([], update))
    expect(recover(updating, false)).toEqual(plan([failed, lost]))
    for (const outcome of [happen.updated, happen.updateFailed]) expect(recover([...updating, outcome], true)).toEqual(plan([]))
  })

  it('tells that two things failed when both were in flight', () => {
    const both = [...histories.running, happen.pauseRequested, happen.paused, happen.updateRequested, happen.stopRequested]
    const failed = (what: 'resume' | 'update'): Draft => ({type: `container.${what}-failed`, data: interrupted(what)})
    expect(recover(both, false)).toEqual(plan([failed('resume'), failed('update'), lost]))
  })

  it('tells of a checkpoint in flight that it failed, since nobody knows how far it got', () => {
    const checkpointing = [...histories.running, happen.checkpointRequested]
    const failed: Draft = {type: 'container.checkpoint-failed', data: interrupted('checkpoint')}
    expect(recover(checkpointing, true, 'running')).toEqual(plan([failed]))
    expect(recover(checkpointing, false)).toEqual(plan([failed, lost]))
  })

  it('removes what a restore in flight has left, so that it can be started again, and leaves alone what waits for its start', () => {
    const prepared = [happen.checkpointedRequested, happen.prepared]
    expect(recover(prepared, false)).toEqual(plan([]))
    expect(recover([...prepared, happen.startRequested], false, 'running')).toEqual({...plan([startFailed]), isRestoreUndone: true})
  })

  it('sends a signal again that may not have been sent', () => {
    const arm = {type: 'timer.arm', timer: 'stop', dueAt: happen.stopRequested.data.dueAt} as const
    expect(recover(stopping, true, 'running')).toEqual(plan([], {type: 'runtime.kill', signal: 'SIGTERM'}, arm))
    const killed = [...histories.running, happen.killRequested]
    expect(recover(killed, true, 'running')).toEqual(plan([], {type: 'runtime.kill', signal: 'SIGHUP'}))
    expect(recover([...killed, happen.signalled], true, 'running')).toEqual(plan([]))
  })

  it('sends SIGKILL again when the deadline had passed', () => {
    expect(recover(killing, true, 'running')).toEqual(plan([], {type: 'runtime.kill', signal: 'SIGKILL'}))
    expect(recover(killing, false)).toEqual(plan([lost]))
  })

  it('goes on with the deletion of a container that was created with autoRemove', () => {
    const history = [happen.autoRemoveRequested, ...histories.stopped.slice(1)]
    expect(recover(history, false)).toEqual(plan([], {type: 'runtime.sweep'}, requestDelete('auto-remove')))
  })

  it('records the lost exit of a forced delete, but none of a container that never had an init', () => {
    const forced = [...histories.running, happen.forcedDelete]
    expect(recover(forced, false)).toEqual(plan([lost], {type: 'runtime.delete'}))
    expect(recover(forced, true)).toEqual(plan([], {type: 'runtime.delete'}))
    expect(recover([...histories.failed, happen.deleteRequested], false)).toEqual(plan([], {type: 'runtime.delete'}))
  })
})

describe('the OOM watch', () => {
  const first = (drafts: readonly Draft[]) =>
    planRecovery(given(...drafts).ledger, {...found, initAlive: false, runtimeStatus: undefined}).first

  it('begins before the facts, so that a kill is reported before the exit, and knows what was reported', () => {
    const {init, cgroups} = happen.created.data
    expect(first(histories.running)).toEqual([{type: 'oom.watch', init, cgroups, known: 0}])
    expect(first([...histories.running, {...happen.oom, data: {...happen.oom.data, killed: 3}}])).toMatchObject([{known: 3}])
  })

  it('does not begin without an init, nor after its exit', () => {
    for (const state of ['absent', 'creating', 'stopped', 'waiting', 'failed'] as const) expect(first(histories[state])).toEqual([])
  })
})

describe('the facts of a recovery', () => {
  const adopted: Draft = {type: 'supervisor.adopted', data: {supervisorPid: 7, found: 'x'}}
  const living = topLevelStates
    .filter((state) => state !== 'absent' && state !== 'deleted')
    .map((state) => [state, histories[state]] as const)

  it.each([...living, ['stopping', stopping] as const, ['killing', killing] as const])(
    'are possible, one after another, in %s',
    (_, history) => {
      for (const initAlive of [true, false]) {
        for (const status of statuses) {
          let {ledger} = given(...history, adopted)
          for (const draft of planRecovery(ledger, {...found, initAlive, runtimeStatus: status}).facts) {
            expect(isPossible(ledger, draft)).toBe(true)
            const [event] = toHistory([draft], (ledger.latest?.sequence ?? 0) + 1)
            if (event) ({ledger} = applyEvent(ledger, event))
          }
          expect(initAlive || ledger.snapshot.context.exited !== undefined || ledger.snapshot.context.init === undefined).toBe(true)
        }
      }
    },
  )
})

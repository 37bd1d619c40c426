import {describe, expect, it} from 'vitest'
import type {LedgerEvent} from '../../../../machines/ledger/events.ts'
import {toTopLevelState} from '../../../../machines/ledger/ledger.ts'
import {epoch, happen} from '../../../support/given.ts'
import {histories} from '../../support/histories.ts'
import {isSettled, makeLoop, origin, settle} from './loop-fixture.ts'

const create = {type: 'create', request: happen.createRequested.data.request} as const

describe('an accepted command', () => {
  it('is journaled before its effect begins, and told in between', async () => {
    const {loop, effects, told, types} = makeLoop()
    void loop.submit(create, origin)
    expect(types()).toEqual(['container.create-requested'])
    expect(told.map(({type}) => type)).toEqual(['container.create-requested'])
    expect(effects).toMatchObject([{effect: {type: 'runtime.create'}, journaled: 1}])
  })

  it('is answered with the ledger of its outcome, and not before', async () => {
    const {loop, finish} = makeLoop()
    const reply = loop.submit(create, origin)
    expect(await isSettled(reply)).toBe(false)
    await finish('runtime.create', happen.created)
    expect(toTopLevelState(await reply)).toBe('created')
  })

  it('is answered with the error of its failure', async () => {
    const {loop, finish} = makeLoop(histories.created)
    const reply = loop.submit({type: 'start'}, origin)
    const refused = expect(reply).rejects.toMatchObject({code: 'RUNC_START_FAILED', kind: 'precondition', message: 'no'})
    await finish('runtime.start', happen.startFailed)
    await refused
    expect(toTopLevelState(loop.ledger)).toBe('created')
  })

  it('leaves events that say who asked, when, and what followed from what', async () => {
    const {loop, journal, clock, finish} = makeLoop(histories.created)
    clock.advance(60_000)
    const reply = loop.submit({type: 'start'}, {actor: 'cli:ann', correlationId: 'c9', causationId: 'x:1'})
    clock.advance(1_500)
    await finish('runtime.start', happen.started)
    await reply
    expect(journal.events.slice(2)).toEqual<LedgerEvent[]>([
      {
        ...happen.startRequested,
        time: new Date(epoch + 60_000).toISOString(),
        sequence: 3,
        uid: 'u1',
        source: '/tally/node/default/web',
        actor: 'cli:ann',
        correlationId: 'c9',
        causationId: 'x:1',
      },
      {
        ...happen.started,
        time: new Date(epoch + 61_500).toISOString(),
        sequence: 4,
        uid: 'u1',
        source: '/tally/node/default/web',
        actor: 'supervisor',
        correlationId: 'c9',
        causationId: 'u1:3',
      },
    ])
  })

  it('that kills is answered by its own signal, not by that of another', async () => {
    const {loop, effects} = makeLoop(histories.running)
    const first = loop.submit({type: 'kill', signal: 'SIGHUP'}, origin)
    const second = loop.submit({type: 'kill', signal: 'SIGUSR1'}, origin)
    effects[1]?.end({type: 'container.signalled', data: {signal: 'SIGUSR1'}})
    await second
    expect(await isSettled(first)).toBe(false)
    effects[0]?.end(happen.signalled)
    await first
  })

  it('is durable on disk before it is answered, where its event ends a life', async () => {
    const {loop, journal} = makeLoop(histories.running)
    const {promise, resolve} = Promise.withResolvers<void>()
    journal.holdSyncs(promise)
    const reply = loop.submit({type: 'stop', signal: 'SIGTERM', graceMs: 1_000}, origin)
    await loop.observe(happen.exited, origin)
    expect(journal.syncs).toEqual([journal.latestSequence()])
    expect(await isSettled(reply)).toBe(false)
    resolve()
    expect(toTopLevelState(await reply)).toBe('stopped')
  })
})

describe('effects', () => {
  it('of one event begin in the order of the chart, each after the append', async () => {
    const {loop, effects} = makeLoop([happen.autoRemoveRequested, ...histories.running.slice(1)])
    await loop.observe(happen.exited, origin)
    expect(effects.map(({effect, journaled}) => [effect.type, journaled])).toEqual([
      ['oom.end', 5],
      ['health.end', 5],
      ['timer.cancel', 5],
      ['runtime.sweep', 5],
      ['request.delete', 5],
    ])
  })

  it('of the past do not begin again, but those that are resumed do', async () => {
    const {loop, effects} = makeLoop(histories.deleting)
    await settle()
    expect(effects).toEqual([])
    loop.resume([{type: 'runtime.delete'}])
    expect(effects).toMatchObject([{effect: {type: 'runtime.delete'}, cause: {type: 'container.delete-requested'}}])
  })

  it('without an outcome leave no event', async () => {
    const {loop, types, finish} = makeLoop(histories.running)
    await loop.observe(happen.exited, origin)
    await finish('runtime.sweep', undefined)
    expect(types().length).toBe(histories.stopped.length)
  })
})

import {describe, expect, it, vi} from 'vitest'
import type {LedgerEvent} from '../../../../machines/ledger/events.ts'
import {toTopLevelState} from '../../../../machines/ledger/ledger.ts'
import {epoch, happen} from '../../../support/given.ts'
import {histories} from '../../support/histories.ts'
import type {Origin} from '../../../../src/supervisor/loop/origin.ts'
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

describe('a command that is asked again', () => {
  const again = {...origin, isAgain: true}

  it('is not carried out twice, and both are answered', async () => {
    const {loop, types, finish} = makeLoop(histories.created)
    const asked = {...origin, correlationId: 'mine'}
    const first = loop.submit({type: 'start'}, asked)
    const second = loop.submit({type: 'start'}, {...asked, isAgain: true})
    expect(types().filter((type) => type === 'container.start-requested')).toHaveLength(1)
    await finish('runtime.start', happen.started)
    expect(toTopLevelState(await first)).toBe('running')
    expect(toTopLevelState(await second)).toBe('running')
    expect(toTopLevelState(await loop.submit({type: 'start'}, {...asked, isAgain: true}))).toBe('running')
    expect(types().filter((type) => type === 'container.start-requested')).toHaveLength(1)
  })

  it('is answered with the failure that came of it', async () => {
    const {loop, finish} = makeLoop(histories.created)
    const asked = {...origin, correlationId: 'mine'}
    const first = loop.submit({type: 'start'}, asked)
    await Promise.all([expect(first).rejects.toMatchObject({code: 'RUNC_START_FAILED'}), finish('runtime.start', happen.startFailed)])
    await expect(loop.submit({type: 'start'}, {...asked, isAgain: true})).rejects.toMatchObject({code: 'RUNC_START_FAILED'})
  })

  it('is not carried out twice, however many came after it', async () => {
    // By the very supervisor that has accepted all of it.
    const {loop, types, finish} = makeLoop()
    const created = loop.submit(create, origin)
    await finish('runtime.create', happen.created)
    await created
    const started = loop.submit({type: 'start'}, origin)
    await finish('runtime.start', happen.started)
    await started
    const kill = {type: 'kill', signal: 'SIGUSR1', all: false} as const
    for (let index = 0; index < 100; index += 1) {
      const sent = loop.submit(kill, {...origin, correlationId: `k${index}`})
      await finish('runtime.kill', {type: 'container.signalled', data: {signal: 'SIGUSR1'}})
      await sent
    }
    await loop.submit(kill, {...again, correlationId: 'k0'})
    expect(types().filter((type) => type === 'container.kill-requested')).toHaveLength(100)
  })

  it('costs no reading of the journal, settled or not', async () => {
    const {loop, journal, finish} = makeLoop(histories.created)
    const asked = {...origin, correlationId: 'mine'}
    const answers = [loop.submit({type: 'start'}, asked)]
    const read = vi.spyOn(journal, 'read')
    answers.push(loop.submit({type: 'start'}, {...asked, isAgain: true}))
    await finish('runtime.start', happen.started)
    await Promise.all(answers)
    await loop.submit({type: 'start'}, {...asked, isAgain: true})
    expect(read).not.toHaveBeenCalled()
  })

  it('is the one that a former supervisor has accepted, while that is under way and afterwards', async () => {
    const {loop: former, journal} = makeLoop(histories.created)
    const asked = {...origin, correlationId: 'mine'}
    void former.submit({type: 'start'}, asked)
    const {loop, types} = makeLoop([], journal)
    const answer = loop.submit({type: 'start'}, {...asked, isAgain: true})
    expect(await isSettled(answer)).toBe(false)
    await loop.observe(happen.started, {...origin, causationId: `u1:${journal.latestSequence()}`})
    expect(toTopLevelState(await answer)).toBe('running')
    const {loop: next} = makeLoop([], journal)
    expect(toTopLevelState(await next.submit({type: 'start'}, {...asked, isAgain: true}))).toBe('running')
    expect(types().filter((type) => type === 'container.start-requested')).toHaveLength(1)
  })

  it('shows the process that it added, though that was deleted since', async () => {
    const {loop, journal, finish} = makeLoop(histories.running)
    const asked = {...origin, correlationId: 'mine'}
    const spec = {args: ['true'], env: [], terminal: false, stdin: false, autoRemove: false}
    await loop.submit({type: 'exec', exec: 'e1', spec: spec}, asked)
    const deleted = loop.submit({type: 'exec-delete', exec: 'e1'}, {...origin, correlationId: 'other'})
    await finish('exec.delete', {type: 'exec.deleted', data: {exec: 'e1'}})
    await deleted
    for (const supervisor of [loop, makeLoop([], journal).loop]) {
      const {processes} = await supervisor.submit({type: 'exec', exec: 'e1', spec}, {...asked, isAgain: true})
      expect([...processes.keys()]).toEqual(['e1'])
    }
    expect(loop.ledger.processes.size).toBe(0)
  })

  it('is a new one an hour later', async () => {
    const {loop, clock, types, finish} = makeLoop(histories.running)
    const kill = {type: 'kill', signal: 'SIGUSR1', all: false} as const
    const send = async (asked: Origin) => {
      const sent = loop.submit(kill, asked)
      await settle()
      if (!(await isSettled(sent))) await finish('runtime.kill', {type: 'container.signalled', data: {signal: 'SIGUSR1'}})
      await sent
    }
    await send({...origin, correlationId: 'mine'})
    clock.advance(3_600_001)
    await send({...origin, correlationId: 'other'})
    await send({...again, correlationId: 'mine'})
    expect(types().filter((type) => type === 'container.kill-requested')).toHaveLength(3)
  })

  it('joins the one that waits', async () => {
    const {loop, types, finish} = makeLoop(histories.created)
    void loop.submit({type: 'start'}, {...origin, correlationId: 'other'})
    const asked = {...origin, correlationId: 'mine'}
    const both = [loop.submit({type: 'kill', signal: 'SIGUSR1', all: false}, asked)]
    both.push(loop.submit({type: 'kill', signal: 'SIGUSR1', all: false}, {...asked, isAgain: true}))
    await finish('runtime.start', happen.started)
    await finish('runtime.kill', {type: 'container.signalled', data: {signal: 'SIGUSR1'}})
    await Promise.all(both)
    expect(types().filter((type) => type === 'container.kill-requested')).toHaveLength(1)
  })

  it('is a new one when it never came, or was somebody else’s', async () => {
    const {loop, types} = makeLoop(histories.created)
    void loop.submit({type: 'start'}, {...again, correlationId: 'never seen'})
    expect(types().at(-1)).toBe('container.start-requested')
  })
})

import {describe, expect, it, vi} from 'vitest'
import {toTopLevelState} from '../../../../machines/ledger/ledger.ts'
import {happen} from '../../../support/given.ts'
import {histories} from '../../support/histories.ts'
import type {Origin} from '../../../../src/supervisor/loop/origin.ts'
import {isSettled, makeLoop, origin, settle} from './loop-fixture.ts'

const create = {type: 'create', request: happen.createRequested.data.request} as const

describe('a retried command', () => {
  const again = {...origin, isRetry: true}

  it('is not carried out twice, and both are answered', async () => {
    const {loop, types, finish} = makeLoop(histories.created)
    const asked = {...origin, correlationId: 'mine'}
    const first = loop.submit({type: 'start'}, asked)
    const second = loop.submit({type: 'start'}, {...asked, isRetry: true})
    expect(types().filter((type) => type === 'container.start-requested')).toHaveLength(1)
    await finish('runtime.start', happen.started)
    expect(toTopLevelState(await first)).toBe('running')
    expect(toTopLevelState(await second)).toBe('running')
    expect(toTopLevelState(await loop.submit({type: 'start'}, {...asked, isRetry: true}))).toBe('running')
    expect(types().filter((type) => type === 'container.start-requested')).toHaveLength(1)
  })

  it('is answered with its failure', async () => {
    const {loop, finish} = makeLoop(histories.created)
    const asked = {...origin, correlationId: 'mine'}
    const first = loop.submit({type: 'start'}, asked)
    await Promise.all([expect(first).rejects.toMatchObject({code: 'RUNC_START_FAILED'}), finish('runtime.start', happen.startFailed)])
    await expect(loop.submit({type: 'start'}, {...asked, isRetry: true})).rejects.toMatchObject({code: 'RUNC_START_FAILED'})
  })

  it('is not carried out twice, however many commands came after it', async () => {
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

  it('is answered without reading the journal, settled or not', async () => {
    const {loop, journal, finish} = makeLoop(histories.created)
    const asked = {...origin, correlationId: 'mine'}
    const answers = [loop.submit({type: 'start'}, asked)]
    const read = vi.spyOn(journal, 'read')
    answers.push(loop.submit({type: 'start'}, {...asked, isRetry: true}))
    await finish('runtime.start', happen.started)
    await Promise.all(answers)
    await loop.submit({type: 'start'}, {...asked, isRetry: true})
    expect(read).not.toHaveBeenCalled()
  })

  it('is the one that a former supervisor has accepted, during and after its execution', async () => {
    const {loop: former, journal} = makeLoop(histories.created)
    const asked = {...origin, correlationId: 'mine'}
    void former.submit({type: 'start'}, asked)
    const {loop, types} = makeLoop([], journal)
    const answer = loop.submit({type: 'start'}, {...asked, isRetry: true})
    expect(await isSettled(answer)).toBe(false)
    await loop.observe(happen.started, {...origin, causationId: `u1:${journal.latestSequence()}`})
    expect(toTopLevelState(await answer)).toBe('running')
    const {loop: next} = makeLoop([], journal)
    expect(toTopLevelState(await next.submit({type: 'start'}, {...asked, isRetry: true}))).toBe('running')
    expect(types().filter((type) => type === 'container.start-requested')).toHaveLength(1)
  })

  it('returns the process that it added, even if that has been deleted since', async () => {
    const {loop, journal, finish} = makeLoop(histories.running)
    const asked = {...origin, correlationId: 'mine'}
    const spec = {args: ['true'], env: [], terminal: false, stdin: false, autoRemove: false}
    await loop.submit({type: 'exec', exec: 'e1', spec: spec}, asked)
    const deleted = loop.submit({type: 'exec-delete', exec: 'e1'}, {...origin, correlationId: 'other'})
    await finish('exec.delete', {type: 'exec.deleted', data: {exec: 'e1'}})
    await deleted
    for (const supervisor of [loop, makeLoop([], journal).loop]) {
      const {processes} = await supervisor.submit({type: 'exec', exec: 'e1', spec}, {...asked, isRetry: true})
      expect([...processes.keys()]).toEqual(['e1'])
    }
    expect(loop.ledger.processes.size).toBe(0)
  })

  it('is a new command after an hour', async () => {
    const {loop, clock, types, finish} = makeLoop(histories.running)
    const kill = {type: 'kill', signal: 'SIGUSR1', all: false} as const
    const send = async (asked: Origin) => {
      const sent = loop.submit(kill, asked)
      await settle()
      if (!(await isSettled(sent))) await finish('runtime.kill', {type: 'container.signalled', data: {signal: 'SIGUSR1'}})
      await sent
    }
    await send({...origin, correlationId: 'mine'})
    clock.advance(3_605_000)
    await send({...origin, correlationId: 'other'})
    await send({...again, correlationId: 'mine'})
    expect(types().filter((type) => type === 'container.kill-requested')).toHaveLength(3)
  })

  it('joins the one that waits in the mailbox', async () => {
    const {loop, types, finish} = makeLoop(histories.created)
    void loop.submit({type: 'start'}, {...origin, correlationId: 'other'})
    const asked = {...origin, correlationId: 'mine'}
    const both = [loop.submit({type: 'kill', signal: 'SIGUSR1', all: false}, asked)]
    both.push(loop.submit({type: 'kill', signal: 'SIGUSR1', all: false}, {...asked, isRetry: true}))
    await finish('runtime.start', happen.started)
    await finish('runtime.kill', {type: 'container.signalled', data: {signal: 'SIGUSR1'}})
    await Promise.all(both)
    expect(types().filter((type) => type === 'container.kill-requested')).toHaveLength(1)
  })

  it('is a new command when another command has its correlation id', async () => {
    const {loop, types, finish} = makeLoop(histories.created)
    const first = loop.submit({type: 'start'}, {...origin, correlationId: 'shared'})
    await finish('runtime.start', happen.started)
    await first
    void loop.submit({type: 'kill', signal: 'SIGUSR1', all: false}, {...again, correlationId: 'shared'})
    expect(types().at(-1)).toBe('container.kill-requested')
  })

  it('is a new command when the first one was never received, or was sent by another actor', async () => {
    const {loop, types} = makeLoop(histories.created)
    void loop.submit({type: 'start'}, {...again, correlationId: 'never seen'})
    expect(types().at(-1)).toBe('container.start-requested')
  })
})

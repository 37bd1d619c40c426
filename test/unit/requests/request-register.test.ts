import {describe, expect, it} from 'vitest'
import {createRequestRegister} from '../../../src/requests/request-register.ts'
import {createFakeClock} from '../../support/fake-clock.ts'

const rememberMs = 3_600_000
const key = {actor: 'ann', correlationId: 'c1', command: 'kill'}

function makeRegister() {
  const clock = createFakeClock(1_000_000)
  const register = createRequestRegister<string, string, string>({rememberMs})
  const toIntent = (sequence: number) => ({eventId: `u1:${sequence}`, sequence, atMs: clock.now()})
  return {clock, register, toIntent}
}

describe('a retry', () => {
  it('joins a request that is queued', () => {
    const {register} = makeRegister()
    const ticket = register.queue('kill web', key, 'first')
    expect(register.find(key)).toMatchObject({ticket, question: 'kill web', state: {type: 'queued', waiters: ['first']}})
    register.addWaiter(ticket, 'retry')
    expect(register.withdraw(ticket)).toEqual(['first', 'retry'])
    expect(register.find(key)).toBeUndefined()
  })

  it('joins a request that is accepted, and both are answered', () => {
    const {register, toIntent} = makeRegister()
    const ticket = register.queue('kill web', key, 'first')
    register.accept(ticket, toIntent(3))
    expect(register.find(key)?.state).toEqual({type: 'accepted', intent: toIntent(3), waiters: ['first']})
    register.addWaiter(ticket, 'retry')
    expect(register.settle(ticket, 'killed')).toEqual(['first', 'retry'])
  })

  it('joins a request that waits for the outcome of another', () => {
    const {register} = makeRegister()
    const ticket = register.queue('delete web', {...key, command: 'delete'}, 'second')
    register.join(ticket)
    register.addWaiter(ticket, 'retry of the second')
    expect(register.pending).toMatchObject([{ticket, state: {type: 'joined'}}])
    expect(register.settle(ticket, 'deleted')).toEqual(['second', 'retry of the second'])
    // It is no event of its own: a later retry is decided as a new command.
    expect(register.find({...key, command: 'delete'})).toBeUndefined()
  })

  it('finds what its request was settled with', () => {
    const {register, toIntent} = makeRegister()
    const ticket = register.queue('kill web', key, 'first')
    register.accept(ticket, toIntent(3))
    register.settle(ticket, 'killed')
    expect(register.find(key)?.state).toEqual({type: 'settled', intent: toIntent(3), settlement: 'killed'})
    expect(register.settle(ticket, 'killed again')).toEqual([])
    expect(register.pending).toEqual([])
  })

  it.each([
    ['actor', {...key, actor: 'bob'}],
    ['correlation id', {...key, correlationId: 'c2'}],
    ['command', {...key, command: 'start'}],
  ])('with another %s finds nothing', (_, other) => {
    const {register} = makeRegister()
    register.queue('kill web', key, 'first')
    expect(register.find(other)).toBeUndefined()
  })

  it('finds a request that a former process accepted, which has no waiters', () => {
    const {register, toIntent} = makeRegister()
    register.recall('kill web', key, toIntent(3))
    const found = register.find(key)
    expect(found?.state).toEqual({type: 'accepted', intent: toIntent(3), waiters: []})
    expect(register.pending).toEqual([])
    register.addWaiter(found?.ticket ?? 0, 'retry')
    expect(register.pending.map(({question}) => question)).toEqual(['kill web'])
  })

  it('finds the first request of several with the same key, unless another has waiters', () => {
    const {register, toIntent} = makeRegister()
    register.recall('first', key, toIntent(3))
    register.recall('second', key, toIntent(4))
    expect(register.find(key)?.question).toBe('first')
    const ticket = register.queue('third', key, 'waiter')
    register.accept(ticket, toIntent(5))
    expect(register.find(key)?.question).toBe('third')
    register.settle(ticket, 'done')
    expect(register.find(key)?.question).toBe('first')
  })
})

describe('a request', () => {
  it('is forgotten an hour after it was accepted, when another is accepted', () => {
    const {clock, register, toIntent} = makeRegister()
    const ticket = register.queue('kill web', key, 'first')
    register.accept(ticket, toIntent(3))
    register.settle(ticket, 'killed')
    clock.advance(rememberMs)
    register.recall('other', {...key, correlationId: 'c2'}, toIntent(4))
    expect(register.find(key)?.state.type).toBe('settled')
    clock.advance(1)
    register.recall('another', {...key, correlationId: 'c3'}, toIntent(5))
    expect(register.find(key)).toBeUndefined()
    expect(register.find({...key, correlationId: 'c2'})?.question).toBe('other')
  })

  it('that still has waiters after an hour is answered, and then forgotten', () => {
    const {clock, register, toIntent} = makeRegister()
    const ticket = register.queue('stop web', key, 'first')
    register.accept(ticket, toIntent(3))
    clock.advance(rememberMs + 1)
    register.recall('other', {...key, correlationId: 'c2'}, toIntent(4))
    expect(register.find(key)?.ticket).toBe(ticket)
    expect(register.settle(ticket, 'stopped')).toEqual(['first'])
    expect(register.find(key)).toBeUndefined()
  })

  it('without a key is answered, and never found', () => {
    const {register} = makeRegister()
    const ticket = register.queue('wait', undefined, 'waiter')
    register.join(ticket)
    expect(register.pending.map(({question}) => question)).toEqual(['wait'])
    expect(register.withdraw(ticket)).toEqual(['waiter'])
    expect(register.pending).toEqual([])
  })

  it('whose waiters are dismissed stays accepted, and a retry waits for it again', () => {
    const {register, toIntent} = makeRegister()
    const ticket = register.queue('kill web', key, 'first')
    register.accept(ticket, toIntent(3))
    expect(register.dismissWaiters('u1:4')).toEqual([])
    expect(register.dismissWaiters('u1:3')).toEqual(['first'])
    expect(register.pending).toEqual([])
    register.addWaiter(ticket, 'retry')
    expect(register.settle(ticket, 'killed')).toEqual(['retry'])
  })

  it('is pending in the order in which requests were accepted, not in that of their arrival', () => {
    const {register, toIntent} = makeRegister()
    const deferred = register.queue('first', key, 'a')
    const taken = register.queue('second', {...key, correlationId: 'c2'}, 'b')
    register.accept(taken, toIntent(3))
    register.accept(deferred, toIntent(4))
    expect(register.pending.map(({question}) => question)).toEqual(['second', 'first'])
  })
})

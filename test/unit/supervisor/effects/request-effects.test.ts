import {describe, expect, it} from 'vitest'
import {TallyError} from '../../../../src/kernel/errors.ts'
import {createRequestEffects} from '../../../../src/supervisor/effects/request-effects.ts'
import type {Output} from '../../../../src/supervisor/output/output.ts'
import type {Outputs} from '../../../../src/supervisor/output/outputs.ts'
import {createFakeClock} from '../../../support/fake-clock.ts'
import {epoch, given} from '../../../support/given.ts'
import {histories} from '../../support/histories.ts'
import {settle} from '../loop/loop-fixture.ts'
import {makeCall} from './effect-fixture.ts'

const {ledger} = given(...histories.stopped)
const failed = new TallyError('DELETE_FAILED', 'busy')
const illegal = new TallyError('ILLEGAL_COMMAND', 'it was started again')

function open() {
  const clock = createFakeClock(epoch)
  const released = Promise.withResolvers<void>()
  const output = {lease: {whenReleased: () => released.promise}} as Output
  const outputs: Outputs = {
    of: () => output,
    whenReleased: () => released.promise,
    attendedUntilMs: () => undefined,
    forget: () => {},
  }
  return {clock, released, handlers: createRequestEffects({clock, outputs})}
}

describe('a deletion that the supervisor asks for', () => {
  const command = {type: 'delete', force: false, reason: 'auto-remove'} as const

  it('waits until the output is released', async () => {
    const {released, handlers} = open()
    const call = makeCall(ledger)
    const done = handlers['request.delete']({type: 'request.delete', reason: 'auto-remove'}, call)
    await settle()
    expect(call.requested).toEqual([])
    released.resolve()
    expect(await done).toBeUndefined()
    expect(call.requested).toEqual([command])
  })

  it('is retried, each time after twice as long, up to a minute, until it succeeds', async () => {
    const {clock, released, handlers} = open()
    released.resolve()
    const call = makeCall(ledger, async (_, count) => {
      if (count < 13) throw failed
      return ledger
    })
    const done = handlers['request.delete']({type: 'request.delete', reason: 'auto-remove'}, call)
    for (const [index, waitMs] of [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200, 60_000, 60_000].entries()) {
      await settle()
      expect(call.requested.length).toBe(index + 1)
      clock.advance(waitMs - 1)
      await settle()
      expect(call.requested.length).toBe(index + 1)
      clock.advance(1)
    }
    await done
    expect(call.requested.length).toBe(13)
    expect(clock.armed).toBe(0)
  })

  it('is given up when the container is no longer one to be deleted', async () => {
    const {clock, released, handlers} = open()
    released.resolve()
    const call = makeCall(ledger, async () => {
      throw illegal
    })
    await handlers['request.delete']({type: 'request.delete', reason: 'auto-remove'}, call)
    expect([call.requested.length, clock.armed]).toEqual([1, 0])
  })
})

it('a start, and the deletion of an added process, are asked for once: what became of them is in the ledger', async () => {
  const {released, handlers} = open()
  released.resolve()
  const call = makeCall(ledger, async () => {
    throw failed
  })
  await handlers['request.start']({type: 'request.start'}, call)
  await handlers['request.exec-delete']({type: 'request.exec-delete', exec: 'e', reason: 'auto-remove'}, call)
  expect(call.requested).toEqual([{type: 'start'}, {type: 'exec-delete', exec: 'e', reason: 'auto-remove'}])
})

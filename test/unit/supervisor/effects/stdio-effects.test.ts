import {describe, expect, it} from 'vitest'
import {createStdioEffects} from '../../../../src/supervisor/effects/stdio-effects.ts'
import type {Output} from '../../../../src/supervisor/output/output.ts'
import type {Outputs} from '../../../../src/supervisor/output/outputs.ts'
import {given} from '../../../support/given.ts'
import {histories} from '../../support/histories.ts'
import {settle} from '../loop/loop-fixture.ts'
import {makeCall} from './effect-fixture.ts'

function open() {
  const closing = Promise.withResolvers<void>()
  const output = {closeInput: () => closing.promise} as Output
  const outputs: Outputs = {
    of: () => output,
    whenReleased: async () => {},
    attendedUntilMs: () => undefined,
    forget: () => {},
  }
  let isDone = false
  const call = makeCall(given(...histories.stopped).ledger)
  const done = createStdioEffects({outputs})
    ['stdin.close']({type: 'stdin.close'}, call)
    .then((draft) => {
      isDone = true
      return draft
    })
  return {closing, done, isDone: () => isDone}
}

describe('the end of an input', () => {
  it('is under way until what was written before has been taken, and keeps the supervisor awake', async () => {
    const {closing, done, isDone} = open()
    await settle()
    expect(isDone()).toBe(false)
    closing.resolve()
    expect(await done).toBeUndefined()
  })

  it('of a process that is deleted meanwhile ends nobody', async () => {
    const {closing, done} = open()
    closing.reject(new Error('ENOENT'))
    expect(await done).toBeUndefined()
  })
})

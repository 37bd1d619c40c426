import {expect, it} from 'vitest'
import {foldEvents} from '../../../machines/ledger/ledger.ts'
import {createFailpoints} from '../../../src/supervisor/failpoints.ts'
import {happen, toHistory} from '../../support/given.ts'
import {createMemoryJournal} from '../../support/memory-journal.ts'
import {makeCall} from './effects/effect-fixture.ts'

const [first, second] = toHistory([happen.createRequested, happen.created])

it('passes a position before and after each append and effect, and after the stream has confirmed what was read for it', async () => {
  if (!first || !second) throw new Error('no events')
  const passed: string[] = []
  const failpoints = createFailpoints((position) => void passed.push(position))
  const memory = createMemoryJournal()
  const journal = failpoints.journal(memory)
  journal.append(first)
  journal.append(second)
  for (const {sequence} of failpoints.source(memory).read(1)) passed.push(`the outbox has ${sequence}`)
  await failpoints.effects(async () => undefined)({type: 'runtime.start'}, makeCall(foldEvents([first])))
  expect(passed).toEqual([
    'append#1:before',
    'append#1:after',
    'append#2:before',
    'append#2:after',
    'publish#2:before',
    'the outbox has 2',
    'publish#2:after',
    'effect.runtime.start#1:before',
    'effect.runtime.start#1:after',
  ])
})

it('dies in the middle: what comes after the position is not done', () => {
  if (!first) throw new Error('no event')
  const memory = createMemoryJournal()
  const {journal} = createFailpoints((position) => {
    if (position === 'append#1:before') throw new Error('dead')
  })
  expect(() => journal(memory).append(first)).toThrow('dead')
  expect(memory.events).toEqual([])
})

it('passes a position before and after the shim lets the kernel forget a process, and at nothing else that is asked of it', async () => {
  const passed: string[] = []
  const {call, onSpawn, onReaped} = createFailpoints((position) => void passed.push(position))
  const shim = call(async (type) => {
    passed.push(type)
    return await Promise.reject(new Error('not answered'))
  })
  await expect(shim('watch', {pid: 1, isStranger: false})).rejects.toThrow('not answered')
  await expect(shim('reap', {pid: 1})).rejects.toThrow('not answered')
  onSpawn()
  onReaped()
  expect(passed).toEqual(['watch', 'reap#1:before', 'reap', 'runtime#1:spawned', 'runtime.end#1:reaped'])
})

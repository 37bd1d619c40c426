import {expect, it} from 'vitest'
import {judgeFormerCreate} from '../../../../src/coordinator/endpoints/former-create.ts'
import {happen, toHistory} from '../../../support/given.ts'

const origin = {actor: 'test', correlationId: 'c1'}
const locked = () => true
const free = () => false

it('a create without a journal is queued while a supervisor has the lock, else unknown', () => {
  expect(judgeFormerCreate([], origin, locked)).toEqual({type: 'queued'})
  expect(judgeFormerCreate([], origin, free)).toEqual({type: 'unknown'})
})

it('a create in the journal is accepted until its outcome is there', () => {
  const events = toHistory([happen.createRequested])
  expect(judgeFormerCreate(events, origin, free)).toEqual({type: 'accepted'})
  const made = judgeFormerCreate(toHistory([happen.createRequested, happen.created]), origin, free)
  expect(made).toMatchObject({type: 'settled', former: {outcome: {type: 'done'}}})
})

it('a create of another request, which has the id now, is unknown, locked or not', () => {
  const events = toHistory([happen.createRequested])
  expect(judgeFormerCreate(events, {...origin, correlationId: 'c2'}, locked)).toEqual({type: 'unknown'})
  expect(judgeFormerCreate(events, {...origin, actor: 'other'}, locked)).toEqual({type: 'unknown'})
})

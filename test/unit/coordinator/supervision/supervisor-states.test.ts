import {expect, it} from 'vitest'
import {countSupervisors, type SupervisorSigns, toSupervisorState} from '../../../../src/coordinator/supervision/supervisor-states.ts'
import type {Phase} from '../../../../src/shim/client/frames.ts'

const judge = (signs: Partial<Omit<SupervisorSigns, 'status'>>, phase?: Phase) =>
  toSupervisorState({isLocked: false, isStoodInFor: false, isUnsupervised: false, ...signs, status: phase && {phase}})

it('a supervisor is what its shim says, and awake when it has the journal', () => {
  expect(judge({}, 'asleep')).toBe('asleep')
  expect(judge({}, 'waiting')).toBe('awake')
  expect(judge({}, 'gave-up')).toBe('gave-up')
  // It has taken over from one whose shim was killed, or is about to tell.
  expect(judge({isLocked: true})).toBe('awake')
})

it('a container without a shim needs none when the coordinator stands in for it, and lacks one otherwise', () => {
  expect(judge({isStoodInFor: true})).toBe('none')
  expect(judge({})).toBe('missing')
  expect(judge({isUnsupervised: true})).toBe('gave-up')
})

it('all are counted, also those that no container has', () => {
  expect(countSupervisors(['asleep', 'none', 'asleep'])).toEqual({awake: 0, asleep: 2, none: 1, 'gave-up': 0, missing: 0})
})

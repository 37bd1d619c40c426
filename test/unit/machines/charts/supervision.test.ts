import {initialTransition, type SnapshotFrom, transition} from 'xstate'
import {describe, expect, it} from 'vitest'
import {type SupervisionEvent, supervisionMachine} from '../../../../machines/charts/supervision.machine.ts'

type Snapshot = SnapshotFrom<typeof supervisionMachine>

function observing(...events: readonly SupervisionEvent[]) {
  let [snapshot]: [Snapshot, unknown] = initialTransition(supervisionMachine)
  let effects: readonly unknown[] = []
  for (const event of events) {
    const [next, actions] = transition(supervisionMachine, snapshot, event)
    effects = actions.filter(({type}) => !type.startsWith('xstate.')).map(({type, params}) => ({type, ...Object(params)}))
    snapshot = next
  }
  return {state: snapshot.value, effects}
}

const ended = {type: 'shim.ended'} as const
const gaveUp = {type: 'shim.gave-up'} as const
const ready = {type: 'supervisor.ready'} as const
const vacant = (atMs: number) => ({type: 'vacancy.observed', atMs}) as const
/** Ten shims that took over and died, a second apart from each other and more. */
const tenDeaths = Array.from({length: 10}, (_, index) => [vacant(index * 5_500), ready, ended]).flat()

describe('a container', () => {
  it('is supervised as long as nothing else is observed', () => {
    expect(observing()).toMatchObject({state: 'supervised'})
    expect(observing(ended)).toEqual({state: 'vacant', effects: []})
  })

  it('gets another shim at once when it is seen to have none', () => {
    const assigning = {state: 'assigning', effects: [{type: 'supervisor.assign'}]}
    expect(observing(vacant(7))).toEqual(assigning)
    expect(observing(ended, vacant(7))).toEqual(assigning)
    expect(observing(ended, vacant(7), ready)).toEqual({state: 'supervised', effects: []})
  })

  it('waits when it has just got one, and looks again then', () => {
    expect(observing(vacant(7), ready, ended, vacant(8))).toEqual({state: 'vacant', effects: [{type: 'vacancy.look', atMs: 27}]})
    expect(observing(vacant(7), ready, ended, vacant(8), vacant(27))).toMatchObject({state: 'assigning'})
  })

  it('is vacant again when the one that was started refuses it or dies', () => {
    expect(observing(vacant(7), {type: 'assignment.failed'})).toEqual({state: 'vacant', effects: []})
    expect(observing(vacant(7), ended)).toEqual({state: 'vacant', effects: []})
  })

  it('gets one at a time: what is observed while it is being assigned changes nothing', () => {
    expect(observing(vacant(7), vacant(60))).toEqual({state: 'assigning', effects: []})
  })

  it('is given up after ten within a minute, and then gets none by itself', () => {
    const givenUp = {state: 'gave-up', effects: [{type: 'supervisor.give-up', deaths: 10, periodMs: 60_000}]}
    expect(observing(...tenDeaths, vacant(55_000))).toEqual(givenUp)
    expect(observing(...tenDeaths, vacant(55_000), vacant(500_000))).toEqual({state: 'gave-up', effects: []})
  })

  it('gets one after it was given up when somebody asks for it, and is given up again when that dies', () => {
    const requested = [...tenDeaths, vacant(55_000), {type: 'supervisor.requested', atMs: 56_000} as const]
    expect(observing(...requested)).toEqual({state: 'assigning', effects: [{type: 'supervisor.assign'}]})
    expect(observing(...requested, ready, ended, vacant(57_000))).toMatchObject({state: 'gave-up'})
  })

  it('is given up when its shim has given up, once, and supervised when that resumes', () => {
    const givenUp = {state: 'gave-up', effects: [{type: 'supervisor.give-up', deaths: 10, periodMs: 60_000}]}
    expect(observing(gaveUp)).toEqual(givenUp)
    expect(observing(ended, vacant(7), gaveUp)).toEqual(givenUp)
    expect(observing(gaveUp, gaveUp)).toEqual({state: 'gave-up', effects: []})
    expect(observing(gaveUp, {type: 'shim.found-given-up'})).toEqual({state: 'gave-up', effects: []})
    expect(observing(gaveUp, {type: 'shim.resumed'})).toEqual({state: 'supervised', effects: []})
    expect(observing(gaveUp, {type: 'shim.resumed'}, gaveUp)).toEqual(givenUp)
  })

  it('is tried again when its shim had given up before the node was started', () => {
    expect(observing({type: 'shim.found-given-up'})).toEqual({state: 'supervised', effects: [{type: 'shim.wake'}]})
    expect(observing({type: 'shim.found-given-up'}, gaveUp)).toMatchObject({state: 'gave-up'})
  })
})

import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {type Effect, type Observation, observe, released, type Standing} from '../../../../src/coordinator/sleepers/standing.ts'

const request = (n: number) => ({subject: `tally.cmd.n1.default.web.${n}`, reply: undefined, headers: undefined, data: new Uint8Array()})
const held = (n: number, untilMs = 100) => ({request: request(n), untilMs})
const come = (n: number, untilMs?: number): Observation => ({type: 'request', held: held(n, untilMs)})

/** The states and effects of a sequence of observations. */
function run(...observations: readonly Observation[]) {
  let standing: Standing = released
  const effects: Effect[] = []
  for (const observation of observations) {
    const step = observe(standing, observation)
    standing = step.standing
    effects.push(...step.effects)
  }
  return {standing, effects}
}

const asleep = [{type: 'take'}, {type: 'confirmed'}] as const satisfies readonly Observation[]

describe('the coordinator, for one container', () => {
  it('sends on what comes before the supervisor knows that it stands in', () => {
    expect(run({type: 'take'}, come(1))).toEqual({standing: {type: 'taking over'}, effects: [{type: 'send on', requests: [request(1)]}]})
  })

  it('wakes the supervisor once, and holds what comes until it is awake', () => {
    expect(run(...asleep, come(1), come(2))).toEqual({
      standing: {type: 'waking', held: [held(1), held(2)]},
      effects: [{type: 'wake'}],
    })
  })

  it('sends on what it holds, in order, before it leaves', () => {
    expect(run(...asleep, come(1), come(2), {type: 'awake'})).toEqual({
      standing: {type: 'handing on'},
      effects: [{type: 'wake'}, {type: 'send on', requests: [request(1), request(2)]}, {type: 'unsubscribe'}],
    })
  })

  it('sends on what still comes while it leaves, and after', () => {
    const left = [...asleep, {type: 'awake'}, come(1), {type: 'drained'}, come(2)] as const
    expect(run(...left)).toEqual({
      standing: released,
      effects: [{type: 'unsubscribe'}, {type: 'send on', requests: [request(1)]}, {type: 'send on', requests: [request(2)]}],
    })
  })

  it('does not confirm to a supervisor that has come back meanwhile', () => {
    expect(run({type: 'take'}, {type: 'awake'}, {type: 'confirmed'}).standing).toEqual({type: 'handing on'})
  })

  it('refuses what has waited too long, and wakes again for the next', () => {
    expect(run(...asleep, come(1, 100), come(2, 200), {type: 'time', nowMs: 100})).toEqual({
      standing: {type: 'waking', held: [held(2, 200)]},
      effects: [{type: 'wake'}, {type: 'refuse', requests: [request(1)]}],
    })
    expect(run(...asleep, come(1, 100), {type: 'time', nowMs: 100}, come(2)).effects).toEqual([
      {type: 'wake'},
      {type: 'refuse', requests: [request(1)]},
      {type: 'wake'},
    ])
  })

  it('refuses all when the supervisor cannot be woken', () => {
    expect(run(...asleep, come(1), come(2), {type: 'failed'})).toEqual({
      standing: {type: 'standing in'},
      effects: [{type: 'wake'}, {type: 'refuse', requests: [request(1), request(2)]}],
    })
  })

  it('takes over again from a supervisor that falls asleep while it leaves', () => {
    expect(run(...asleep, {type: 'awake'}, {type: 'take'}, {type: 'confirmed'}, {type: 'drained'}).standing).toEqual({type: 'standing in'})
  })

  it('sends on or refuses each request at most once, whatever happens, and holds the rest', () => {
    const others = fc.constantFrom<Observation>(
      {type: 'take'},
      {type: 'confirmed'},
      {type: 'awake'},
      {type: 'failed'},
      {type: 'drained'},
      {type: 'time', nowMs: 50},
      {type: 'time', nowMs: 200},
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(others, fc.constant('request' as const)), {maxLength: 60}), (given) => {
        let count = 0
        const {standing, effects} = run(...given.map((one) => (one === 'request' ? come(count++, 100) : one)))
        const dealtWith = effects.flatMap((effect) => ('requests' in effect ? effect.requests : []))
        const kept = standing.type === 'waking' ? standing.held.map((one) => one.request) : []
        const subjects = [...dealtWith, ...kept].map(({subject}) => subject)
        expect(subjects.toSorted()).toEqual(Array.from({length: count}, (_, n) => request(n).subject).toSorted())
      }),
    )
  })
})

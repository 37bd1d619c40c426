import {describe, expect, it} from 'vitest'
import {
  decideServer,
  foundRunning,
  type Observation,
  type ServerState,
  toStarted,
  toWaiting,
} from '../../../../src/coordinator/stream/server-policy.ts'

const well: Observation = {type: 'asked', health: 'well', couldWrite: true}
const silent: Observation = {type: 'asked', health: 'silent', couldWrite: true}
const off: Observation = {type: 'asked', health: 'off', couldWrite: true}
const ended: Observation = {type: 'ended'}

/** One observation a second. @returns what was decided in the end */
function observe(
  observations: readonly Observation[],
  {from = foundRunning, atMs = 100_000}: {readonly from?: ServerState; readonly atMs?: number} = {},
) {
  let decided = decideServer(from, observations[0] ?? well, atMs)
  for (const [index, observation] of observations.entries())
    if (index > 0) decided = decideServer(decided.state, observation, atMs + index * 1_000)
  return decided.decision
}

const none = {type: 'none'}
const restart = (why: string) => ({type: 'restart', why})

describe('a server that runs', () => {
  it('is left alone while it is as it should be, and while nobody can ask it', () => {
    expect(observe([well, well])).toEqual(none)
    expect(observe([{type: 'asked', health: 'unknown', couldWrite: true}])).toEqual(none)
  })

  it('is started again when it was silent three times in a row', () => {
    expect(observe([silent, silent])).toEqual(none)
    expect(observe([silent, silent, well, silent, silent])).toEqual(none)
    expect(observe([silent, silent, silent])).toEqual(restart('it does not answer'))
  })

  it('is started again when it has switched JetStream off, or could not write', () => {
    expect(observe([off])).toEqual(restart('it has switched JetStream off'))
    expect(observe([{type: 'asked', health: 'well', couldWrite: false}])).toEqual(restart('it could not write'))
  })

  it('has five seconds after a start before that', () => {
    const from = toStarted(foundRunning, 100_000)
    expect(observe([off], {from, atMs: 104_999})).toEqual(none)
    expect(observe([off], {from, atMs: 105_000})).toEqual(restart('it has switched JetStream off'))
  })
})

describe('a server whose disk is full', () => {
  it('is started without JetStream, also just after a start', () => {
    expect(observe([{type: 'disk-full'}], {from: toStarted(foundRunning, 100_000), atMs: 100_001})).toEqual(restart('its disk is full'))
  })

  it('is started with it as soon as there is room', () => {
    expect(observe([{type: 'without-jetstream', disk: 'full'}])).toEqual(none)
    expect(observe([{type: 'without-jetstream', disk: 'has-room'}])).toEqual(restart('there is room again on its disk'))
  })
})

describe('a server that has ended', () => {
  it('is started at once, and later and later when it ends again and again', () => {
    const starts: number[] = []
    let state: ServerState = foundRunning
    for (let nowMs = 0; nowMs <= 8_000; nowMs += 50) {
      const decided = decideServer(state, ended, nowMs)
      state = decided.decision.type === 'restart' ? toStarted(decided.state, nowMs) : decided.state
      if (decided.decision.type === 'restart') starts.push(nowMs)
    }
    expect(starts.map((atMs, index) => atMs - (starts[index - 1] ?? 0))).toEqual([0, 300, 550, 1_050, 2_050, 2_050])
  })

  it('is started at once when it has run for half a minute', () => {
    const [first] = [decideServer(foundRunning, ended, 0)]
    const running = toStarted(first.state, 0)
    expect(decideServer(running, ended, 29_999).decision).toEqual(none)
    expect(decideServer(running, ended, 30_000).decision).toEqual(restart('it has ended'))
  })

  it('waits longer when it could not be started', () => {
    const failed = toWaiting(decideServer(foundRunning, ended, 0).state, 0)
    expect(failed.dueAtMs).toBe(250)
    expect(toWaiting(failed, 250).dueAtMs).toBe(750)
    expect(decideServer(failed, ended, 249).decision).toEqual(none)
    expect(decideServer(failed, ended, 250).decision).toEqual(restart('it has ended'))
  })
})

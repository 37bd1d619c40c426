import {expect, it} from 'vitest'
import type {Observation} from '../../../../src/coordinator/stream/server-policy.ts'
import {watchServer} from '../../../../src/coordinator/stream/watch-server.ts'
import {silentLogger} from '../../../../src/kernel/log.ts'
import {createFakeClock} from '../../../support/fake-clock.ts'

type Seen = Exclude<Observation, {readonly type: 'ended'}>

/** A server that is the test's, watched with a clock that is the test's. */
function watch() {
  const clock = createFakeClock(0)
  const ending = new AbortController()
  const server = {alive: true, disk: 'has-room' as 'has-room' | 'full', jetStream: true, startable: true}
  const starts: {readonly atMs: number; readonly why: string; readonly jetStream: boolean}[] = []
  let observed = 0
  const done = watchServer({
    isAlive: () => server.alive,
    observe: async (): Promise<Seen> => {
      observed += 1
      if (!server.jetStream) return {type: 'without-jetstream', disk: server.disk}
      return server.disk === 'full' ? {type: 'disk-full'} : {type: 'asked', health: 'well', couldWrite: true}
    },
    restart: async (why) => {
      server.alive = false
      if (!server.startable) throw new Error('no room for its configuration')
      server.alive = true
      server.jetStream = server.disk !== 'full'
      starts.push({atMs: clock.now(), why, jetStream: server.jetStream})
    },
    clock,
    logger: silentLogger,
    signal: ending.signal,
  })
  return {
    server,
    starts,
    done,
    ending,
    observed: () => observed,
    pass: async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 100) {
        clock.advance(100)
        await new Promise((resolve) => setImmediate(resolve))
      }
    },
  }
}

it('starts a server that has ended within a moment, and observes one that runs once a second', async () => {
  const {server, starts, observed, pass} = watch()
  await pass(5_000)
  expect(observed()).toBe(5)
  server.alive = false
  await pass(300)
  expect(starts).toMatchObject([{why: 'it has ended', jetStream: true}])
})

it('runs without JetStream while the disk is full, and with it again when there is room', async () => {
  const {server, starts, pass} = watch()
  server.disk = 'full'
  await pass(2_000)
  expect(starts).toMatchObject([{why: 'its disk is full', jetStream: false}])
  await pass(10_000)
  expect(starts).toHaveLength(1)
  server.disk = 'has-room'
  await pass(1_500)
  expect(starts.slice(1)).toMatchObject([{why: 'there is room again on its disk', jetStream: true}])
})

it('goes on trying when it cannot be started', async () => {
  const {server, starts, pass} = watch()
  server.startable = false
  server.disk = 'full'
  await pass(20_000)
  expect(starts).toEqual([])
  server.startable = true
  await pass(2_500)
  expect(starts).toMatchObject([{why: 'it has ended', jetStream: false}])
})

it('starts nothing any more once the coordinator is ending', async () => {
  const {server, starts, done, ending, pass} = watch()
  await pass(1_000)
  ending.abort()
  server.alive = false
  await pass(1_000)
  await done
  expect(starts).toEqual([])
})

import {setTimeout as sleep} from 'node:timers/promises'
import {createInbox, headers, type Msg, type NatsConnection} from 'nats'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'
import * as z from 'zod'
import {usualHoldLimits} from '../../../../src/coordinator/sleepers/hold.ts'
import {type NatsServer, startNatsServer} from '../../../support/nats-server.ts'
import {startCoordinator} from './coordinator.ts'
import {address, createSleepingSupervisor, type SleepingSupervisorOptions, subjects} from './sleeping-supervisor.ts'

const name = {namespace: address.namespace, id: address.id}
const patienceMs = 20_000
let stack: AsyncDisposableStack
let server: NatsServer
let client: NatsConnection

beforeEach(async () => {
  stack = new AsyncDisposableStack()
  server = stack.use(await startNatsServer({jetstream: false}))
  client = await server.connect()
  stack.defer(() => client.close())
})
afterEach(() => stack.disposeAsync())

async function startBoth(options: Partial<SleepingSupervisorOptions> = {}) {
  const supervisor = stack.use(createSleepingSupervisor({connection: server.connection, idleMs: () => 0, ...options}))
  const coordinator = stack.use(await startCoordinator(server.connection, {wake: supervisor.wake}))
  await coordinator.standIn.take(name)
  return {supervisor, coordinator, standIn: coordinator.standIn}
}

const replySchema = z.object({n: z.int(), life: z.int()})

async function ask(n: number, verb: 'start' | 'kill' = 'start') {
  const reply = await client.request(subjects.containerCommand(address, verb), JSON.stringify({n}), {timeout: patienceMs})
  return replySchema.parse(reply.json())
}

const count = (from: number, length: number) => Array.from({length}, (_, index) => from + index)
const sorted = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)

describe('a supervisor that falls asleep whenever it may', () => {
  it('answers each of 3,000 requests once, at whatever instant they come', async () => {
    const {supervisor} = await startBoth({idleMs: () => Math.random() * 3})
    const all = count(0, 3_000)
    const replies = await Promise.all(
      all.map(async (n) => {
        await sleep(n * 2 + Math.random() * 5)
        return await ask(n)
      }),
    )
    expect(replies.map(({n}) => n)).toEqual(all)
    expect(sorted(supervisor.done)).toEqual(all)
    // It did sleep in between, and often.
    expect(supervisor.lives).toBeGreaterThan(50)
  })

  it('answers requests that come at the very instants of falling asleep and waking', async () => {
    const {supervisor, standIn} = await startBoth({idleMs: () => 0})
    const asked: Promise<unknown>[] = []
    let n = 0
    while (n < 2_000) {
      // In the middle of a handover as often as before and after it.
      for (let burst = 0; burst < 3; burst += 1) asked.push(ask(n++))
      await new Promise((resolve) => setImmediate(resolve))
      if (n % 30 === 0) await Promise.all(asked)
      if (n % 30 === 0) await sleep(Math.random() * 4)
    }
    const replies = await Promise.all(asked)
    expect(replies).toHaveLength(n)
    expect(sorted(supervisor.done)).toEqual(count(0, n))
    expect(supervisor.lives).toBeGreaterThan(20)
    await expect.poll(() => standIn.figures()).toMatchObject({sleeping: 1, waking: 0, heldRequests: 0})
  })

  it('gets what was held in the order in which it was sent', async () => {
    const {supervisor} = await startBoth({startMs: 50})
    await expect.poll(() => supervisor.isAsleep).toBe(true)
    await Promise.all(count(0, 500).map((n) => ask(n)))
    expect(supervisor.done).toEqual(count(0, 500))
  })

  it('gets input for its processes too, with the subject it was sent to', async () => {
    const {supervisor} = await startBoth()
    await expect.poll(() => supervisor.isAsleep).toBe(true)
    const subject = subjects.io(address, 'shell', 'stdin')
    const reply = await client.request(subject, '7', {timeout: patienceMs})
    expect(reply.json()).toMatchObject({n: 7, subject})
  })
})

describe('somebody who waits for an exit', () => {
  it('keeps no supervisor awake: the coordinator waits on, for the rest of the time', async () => {
    const waits: unknown[] = []
    let may = false
    const options = {connection: server.connection, idleMs: () => 5, mayFallAsleep: () => may}
    const supervisor = stack.use(createSleepingSupervisor(options))
    const toRead = (_name: unknown, verb: string) =>
      verb === 'wait'
        ? async (bytes: Uint8Array) => {
            waits.push(JSON.parse(Buffer.from(bytes).toString()))
            return {exited: true}
          }
        : undefined
    const {standIn} = stack.use(await startCoordinator(server.connection, {wake: supervisor.wake, toRead}))
    await supervisor.wake()
    await expect.poll(() => ask(1).catch(() => undefined)).toMatchObject({n: 1})
    const [begun, subject] = [Date.now(), subjects.containerCommand(address, 'wait')]
    const reply = client.request(subject, '{"waitMs":60000}', {timeout: patienceMs})
    await ask(2)
    await sleep(50)
    may = true
    expect((await reply).json()).toEqual({exited: true})
    expect(standIn.isSleeping(name)).toBe(true)
    const [{waitMs}] = z.tuple([z.object({waitMs: z.number()})]).parse(waits)
    expect(waitMs).toBeLessThan(60_000)
    expect(waitMs).toBeGreaterThanOrEqual(60_000 - (Date.now() - begun) - 20)
  })
})

describe('a request to a sleeper', () => {
  it('arrives with its reply subject, payload and headers unchanged', async () => {
    const coordinator = stack.use(await startCoordinator(server.connection, {wake: async () => {}}))
    await coordinator.standIn.take(name)
    const told = Promise.withResolvers<Msg>()
    client.subscribe(subjects.own(address), {callback: (_error, message) => message.subject.endsWith('.awake') || told.resolve(message)})
    const given = headers()
    given.append('Tally-Actor', 'alice')
    given.append('x-lower', 'a')
    given.append('x-lower', 'b')
    const reply = createInbox()
    client.publish(subjects.containerCommand(address, 'stop'), '{"graceMs":1}', {reply, headers: given})
    await client.flush()
    await expect.poll(() => coordinator.standIn.figures().heldRequests).toBe(1)
    coordinator.standIn.release(name)
    const message = await told.promise
    expect(message.subject).toBe('tally.own.n1.default.web.cmd.stop')
    expect(message.reply).toBe(reply)
    expect(message.string()).toBe('{"graceMs":1}')
    expect([...(message.headers ?? [])]).toEqual([
      ['Tally-Actor', ['alice']],
      ['x-lower', ['a', 'b']],
    ])
  })

  it('is refused when the supervisor cannot be woken, and the next one tries again', async () => {
    let tried = 0
    const wake = async () => {
      tried += 1
      throw new Error('no such program')
    }
    const {standIn} = stack.use(await startCoordinator(server.connection, {wake}))
    await standIn.take(name)
    for (const time of [1, 2]) {
      const reply = await client.request(subjects.containerCommand(address, 'start'), '{}', {timeout: patienceMs})
      expect(reply.json()).toMatchObject({code: 'SUPERVISOR_FAILED', message: expect.stringContaining('no such program')})
      expect(tried).toBe(time)
    }
  })

  it('is refused after its time, and not carried out any more', async () => {
    const supervisor = stack.use(createSleepingSupervisor({connection: server.connection, idleMs: () => 50}))
    let mayWake = false
    const wake = async () => (mayWake ? supervisor.wake() : new Promise<void>(() => {}))
    const {standIn} = stack.use(await startCoordinator(server.connection, {wake}, {...usualHoldLimits, longestMs: 100}))
    await standIn.take(name)
    const reply = await client.request(subjects.containerCommand(address, 'start'), '{"n":1}', {timeout: patienceMs})
    expect(reply.json()).toMatchObject({code: 'SUPERVISOR_FAILED', message: expect.stringContaining('has not woken within 100 ms')})
    mayWake = true
    expect(await ask(2)).toMatchObject({n: 2})
    expect(supervisor.done).toEqual([2])
  })

  it('is refused when too many wait', async () => {
    const {standIn} = stack.use(await startCoordinator(server.connection, {wake: async () => {}}, {...usualHoldLimits, mostRequests: 2}))
    await standIn.take(name)
    const waiting = [1, 2].map((n) => ask(n).catch(() => 'given up'))
    await client.flush()
    const reply = await client.request(subjects.containerCommand(address, 'start'), '{"n":3}', {timeout: patienceMs})
    expect(reply.json()).toMatchObject({
      code: 'HOST_EXHAUSTED',
      message: expect.stringContaining('2 requests wait for a supervisor to wake'),
    })
    await client.close()
    await Promise.all(waiting)
  })

  it('is told that the container is gone, and then nobody listens', async () => {
    const {standIn} = stack.use(await startCoordinator(server.connection, {wake: async () => {}, exists: () => false}))
    await standIn.take(name)
    const reply = await client.request(subjects.containerCommand(address, 'start'), '{}', {timeout: patienceMs})
    expect(reply.json()).toMatchObject({code: 'CONTAINER_NOT_FOUND'})
    // Those that arrive here while it leaves are told the same.
    const outcomes = () =>
      Promise.all(count(0, 20).map(() => client.request(subjects.containerCommand(address, 'start'), '{}').catch(({code}) => code)))
    await expect.poll(async () => new Set(await outcomes()), {interval: 0}).toEqual(new Set(['503']))
  })
})

describe('a supervisor that falls asleep', () => {
  it('does not say that it is awake once it has asked: the answer could come after the confirmation', async () => {
    const supervisor = stack.use(createSleepingSupervisor({connection: server.connection, idleMs: () => 50}))
    const isAwake = () =>
      client.request(subjects.awake(address), '', {timeout: 200}).then(
        () => 'awake',
        ({code}) => code,
      )
    const asked = Promise.withResolvers<string>()
    client.subscribe(subjects.nodeCommand('n1', 'sleep'), {
      callback: (_error, message) =>
        void isAwake().then((answer) => {
          asked.resolve(answer)
          message.respond('{"standsIn":true}')
        }),
    })
    await supervisor.wake()
    expect(await asked.promise).toBe('TIMEOUT')
    await expect.poll(() => supervisor.isAsleep).toBe(true)
    expect(await isAwake()).toBe('503')
  })
})

describe('a retry that comes first', () => {
  it('is not followed by its first attempt, which the coordinator has held', async () => {
    const {supervisor, standIn} = await startBoth({idleMs: () => 300_000})
    await supervisor.wake()
    await expect.poll(() => standIn.isSleeping(name)).toBe(false)
    const request = (attempt: number) => {
      const given = headers()
      given.set('Tally-Correlation-Id', 'one')
      given.set('Tally-Attempt', String(attempt))
      return {headers: given, reply: createInbox()}
    }
    await client.request(subjects.containerCommand(address, 'kill'), '{"n":1}', {...request(2), noMux: true, timeout: patienceMs})
    // As the coordinator hands it on.
    const own = subjects.toOwn(subjects.containerCommand(address, 'kill')) ?? ''
    const late = await client.request(own, '{"n":1}', {...request(1), noMux: true, timeout: patienceMs})
    expect(late.json()).toEqual({n: 1, joined: true})
    expect(supervisor.done).toEqual([1])
  })
})

describe('somebody who dies', () => {
  it('a supervisor, at any instant: the next one answers what comes', async () => {
    const {supervisor} = await startBoth({idleMs: () => Math.random() * 2})
    for (const n of count(0, 40)) {
      // Until its parent has started another, nobody listens; what it got and did not answer is sent again.
      await expect.poll(() => ask(n).catch(() => undefined)).toMatchObject({n})
      await sleep(Math.random() * 4)
      await supervisor.kill()
      // Its parent starts it again.
      await supervisor.wake()
    }
    expect([...new Set(supervisor.done)]).toEqual(count(0, 40))
  })

  it('a coordinator, while the supervisor sleeps: the next one stands in', async () => {
    const {supervisor, coordinator} = await startBoth()
    await expect.poll(() => supervisor.isAsleep).toBe(true)
    await coordinator.link.session()?.close()
    await coordinator[Symbol.asyncDispose]()
    expect(await ask(0).catch(({code}) => code)).toBe('503')
    const {standIn} = stack.use(await startCoordinator(server.connection, {wake: supervisor.wake}))
    await standIn.take(name)
    expect(await ask(1)).toMatchObject({n: 1})
  })

  it('a coordinator, and the supervisor wakes meanwhile: the next one learns that it is awake', async () => {
    const {supervisor, coordinator} = await startBoth({idleMs: () => 300_000})
    await coordinator.link.session()?.close()
    await coordinator[Symbol.asyncDispose]()
    await supervisor.wake()
    await expect.poll(() => ask(1).catch(() => undefined)).toMatchObject({n: 1})
    const {standIn} = stack.use(await startCoordinator(server.connection, {wake: async () => {}}))
    await standIn.take(name)
    await expect.poll(() => standIn.isSleeping(name)).toBe(false)
    await Promise.all(count(2, 100).map((n) => ask(n)))
    expect(standIn.figures().woken).toBe(0)
  })

  it('a coordinator that hangs: a supervisor stays awake and answers everything', async () => {
    const supervisor = stack.use(createSleepingSupervisor({connection: server.connection, idleMs: () => 0}))
    await supervisor.wake()
    await expect.poll(() => ask(0).catch(() => undefined)).toMatchObject({n: 0})
    await Promise.all(count(1, 200).map((n) => ask(n)))
    expect(supervisor.lives).toBe(1)
  })

  it('nats-server: both find each other again, and the sleeper is reached', async () => {
    const {supervisor, standIn} = await startBoth({idleMs: () => 5})
    await expect.poll(() => supervisor.isAsleep).toBe(true)
    for (const round of count(0, 3)) {
      await server.restart()
      client = await server.connect()
      await expect.poll(() => ask(round).catch(() => undefined)).toMatchObject({n: round})
    }
    expect(new Set(supervisor.done)).toEqual(new Set(count(0, 3)))
    expect(standIn.figures().heldRequests).toBe(0)
    await client.close()
  })
})

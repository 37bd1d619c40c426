import {setTimeout as sleep} from 'node:timers/promises'
import type {NatsConnection} from 'nats'
import {afterEach, beforeEach, expect, it} from 'vitest'
import type {Ledger} from '../../../../machines/ledger/ledger.ts'
import {silentLogger} from '../../../../src/kernel/log.ts'
import {toContainerLayout} from '../../../../src/layout/container-layout.ts'
import {createNatsLink} from '../../../../src/messaging/link.ts'
import {createStats} from '../../../../src/observation/stats.ts'
import {type ContainerService, serveContainer} from '../../../../src/supervisor/endpoints/service.ts'
import {given} from '../../../support/given.ts'
import {startNatsServer} from '../../../support/nats-server.ts'
import {histories} from '../../../unit/support/histories.ts'
import {startCoordinator, type TestCoordinator} from './coordinator.ts'
import {address, clock, subjects} from './sleeping-supervisor.ts'

const {ledger} = given(...histories.running)
let stack: AsyncDisposableStack
let client: NatsConnection
let coordinator: TestCoordinator
let service: ContainerService
let submitted: PromiseWithResolvers<Ledger>
let exited: PromiseWithResolvers<Ledger>
let waits: string[]

beforeEach(async () => {
  stack = new AsyncDisposableStack()
  const server = stack.use(await startNatsServer({jetstream: false}))
  waits = []
  const toRead = (_name: unknown, verb: string) =>
    verb === 'wait'
      ? async (bytes: Uint8Array) => {
          waits.push(Buffer.from(bytes).toString())
          return {by: 'coordinator'}
        }
      : undefined
  coordinator = stack.use(await startCoordinator(server.connection, {wake: async () => {}, toRead}))
  const link = stack.use(createNatsLink({readConnection: async () => server.connection, name: () => 's', clock, logger: silentLogger}))
  submitted = Promise.withResolvers()
  exited = Promise.withResolvers()
  const none = (): never => {
    throw new Error('not in this test')
  }
  const outbox = {poke: () => {}, acknowledged: 4, whenAcknowledged: async () => true, compare: none}
  service = serveContainer({
    address,
    uid: 'u1',
    version: '1.2.3',
    loop: {ledger, waiting: 0, submit: () => submitted.promise, observe: none, waitForExit: () => exited.promise, resume: none},
    outputs: {of: none, whenReleased: async () => {}, attendedUntilMs: () => undefined, forget: none},
    layout: toContainerLayout({stateDir: '/nowhere', runDir: '/nowhere'}, address, 'u1'),
    stats: createStats({ledger: () => ledger, publish: () => {}, clock}),
    link,
    outbox,
    subjects,
    running: {program: '/dist/supervisor-main.cjs', command: ['node']},
    relieve: none,
    onRequest: () => {},
    clock,
    logger: silentLogger,
  })
  client = await server.connect()
  stack.defer(() => client.close())
  await expect.poll(() => ask('state').catch(() => undefined)).toMatchObject({state: 'running'})
})
afterEach(() => stack.disposeAsync())

async function ask(verb: 'state' | 'wait' | 'kill', request: object = {}) {
  const reply = await client.request(subjects.containerCommand(address, verb), JSON.stringify(request), {timeout: 20_000})
  return reply.json<Record<string, unknown>>()
}

it('hands over, and takes back: requests are answered by the one who has them', async () => {
  expect(await service.handOver()).toEqual({type: 'handed over'})
  expect(coordinator.standIn.isSleeping(address)).toBe(true)
  const held = ask('state')
  await expect.poll(() => coordinator.standIn.figures().heldRequests).toBe(1)
  await service.takeBack()
  expect(await held).toMatchObject({state: 'running', supervisorPid: process.pid})
  await expect.poll(() => coordinator.standIn.isSleeping(address)).toBe(false)
  expect(await ask('state')).toMatchObject({state: 'running'})
})

it('stays while a request is in flight, and answers it', async () => {
  const kill = ask('kill')
  await ask('state')
  await sleep(20)
  expect(await service.handOver()).toEqual({type: 'stays', why: 'a request has come'})
  submitted.resolve(ledger)
  expect(await kill).toMatchObject({state: 'running'})
  expect(await service.handOver()).toEqual({type: 'handed over'})
})

it('hands over its waits, again and again, and each is answered once', async () => {
  const wait = ask('wait', {waitMs: 60_000})
  await ask('state')
  await sleep(20)
  expect(await service.handOver()).toEqual({type: 'handed over'})
  expect(await wait).toEqual({by: 'coordinator'})
  expect(waits).toHaveLength(1)
  await service.takeBack()
  await expect.poll(() => coordinator.standIn.isSleeping(address)).toBe(false)
  // What was passed on does not keep it awake.
  expect(await service.handOver()).toEqual({type: 'handed over'})
})

it('stays without a coordinator', async () => {
  await coordinator.link.session()?.close()
  await coordinator[Symbol.asyncDispose]()
  expect(await service.handOver()).toEqual({type: 'stays', why: 'the coordinator does not stand in'})
  expect(await ask('state')).toMatchObject({state: 'running'})
})

it('is not back after it has left', async () => {
  await service.handOver()
  await service.leave(1_000)
  await service.takeBack()
  expect(await service.handOver()).toMatchObject({type: 'stays'})
})

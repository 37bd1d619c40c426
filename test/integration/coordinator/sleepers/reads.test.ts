import {appendFileSync, mkdirSync, writeFileSync} from 'node:fs'
import {dirname} from 'node:path'
import type {Msg, NatsConnection} from 'nats'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'
import type {Draft} from '../../../../machines/ledger/draft.ts'
import {createNodeLedgers} from '../../../../src/coordinator/ledgers/node-ledgers.ts'
import {createSleepers, type Sleepers} from '../../../../src/coordinator/sleepers/sleepers.ts'
import {type FileJournal, openFileJournal} from '../../../../src/journal/file-journal.ts'
import {readLatestEvent} from '../../../../src/journal/latest-event.ts'
import {writeSleepNote} from '../../../../src/layout/sleep-note.ts'
import {silentLogger} from '../../../../src/kernel/log.ts'
import {type ContainerLayout, toContainerLayout} from '../../../../src/layout/container-layout.ts'
import {createNatsLink} from '../../../../src/messaging/link.ts'
import {registerService} from '../../../../src/messaging/services.ts'
import {encodeChunk} from '../../../support/encode-chunk.ts'
import {epoch, happen, toHistory} from '../../../support/given.ts'
import {startNatsServer} from '../../../support/nats-server.ts'
import {makeTempDir} from '../../../support/temp-dir.ts'
import {histories} from '../../../unit/support/histories.ts'
import {clock, subjects} from './sleeping-supervisor.ts'

/** Of the events of `toHistory`. */
const node = 'node'
const name = {namespace: 'default', id: 'web'}
const address = {node, ...name}
let stack: AsyncDisposableStack
let client: NatsConnection
let sleepers: Sleepers
let layout: ContainerLayout
let journal: FileJournal
let sequence: number
let woken: number

beforeEach(async () => {
  stack = new AsyncDisposableStack()
  const server = stack.use(await startNatsServer({jetstream: false}))
  const dir = stack.use(makeTempDir())
  const directories = {stateDir: dir.path, runDir: `${dir.path}/run`}
  layout = toContainerLayout(directories, name, 'u1')
  mkdirSync(dirname(layout.journal), {recursive: true})
  mkdirSync(layout.fifoDir, {recursive: true})
  journal = openFileJournal(layout.journal)
  stack.defer(() => journal[Symbol.dispose]())
  sequence = 1
  woken = 0
  const link = stack.use(createNatsLink({readConnection: async () => server.connection, name: () => 'c', clock, logger: silentLogger}))
  sleepers = createSleepers({
    node,
    subjects,
    link,
    directories,
    find: createNodeLedgers({node, directories, ledgers: () => new Map(), logger: silentLogger}).find,
    wake: async () => {
      woken += 1
    },
    clock,
    logger: silentLogger,
  })
  await registerService(await link.connected(), {
    name: 'tally-coordinator',
    version: '1.2.3',
    description: 'for a test',
    metadata: {},
    endpoints: sleepers.endpoints,
    logger: silentLogger,
  })
  client = await server.connect()
  stack.defer(() => client.close())
})
afterEach(() => stack.disposeAsync())

function write(...drafts: readonly Draft[]): void {
  for (const event of toHistory(drafts, sequence)) journal.append(event)
  sequence += drafts.length
}

function print(text: string, stream: 'stdout' | 'stderr' = 'stdout'): void {
  appendFileSync(layout.log, encodeChunk({stream, atMs: epoch, bytes: Buffer.from(text)}))
}

/** Falls asleep as a supervisor does. */
async function fallAsleep(request: object = {}): Promise<void> {
  const reply = await client.request(subjects.nodeCommand(node, 'sleep'), JSON.stringify({...name, ...request}), {timeout: 20_000})
  expect(reply.json()).toEqual({standsIn: true})
  writeSleepNote(layout, {latest: readLatestEvent(layout.journal)})
}

async function ask(verb: Parameters<typeof subjects.containerCommand>[1], request: object = {}) {
  const reply = await client.request(subjects.containerCommand(address, verb), JSON.stringify(request), {timeout: 20_000})
  return reply.json<Record<string, unknown>>()
}

/** Sends a request that nobody answers here. */
async function expectWake(verb: Parameters<typeof subjects.containerCommand>[1], request: object): Promise<void> {
  const before = woken
  client.publish(subjects.containerCommand(address, verb), JSON.stringify(request), {reply: 'nobody'})
  await expect.poll(() => woken).toBeGreaterThan(before)
  client.publish(subjects.nodeCommand(node, 'awake'), JSON.stringify(name))
  await client.flush()
  await fallAsleep()
}

describe('a sleeper', () => {
  it('shows its state, as the journal has it, and without a supervisor', async () => {
    write(...histories.running)
    await fallAsleep()
    const view = await ask('state')
    expect(view).toMatchObject({id: 'web', state: 'running', sleeping: true, eventCount: 4})
    expect(view).not.toHaveProperty('supervisorPid')
    write(happen.exited)
    expect(await ask('state')).toMatchObject({state: 'stopped', eventCount: 5})
    expect(await ask('state', {exec: 'none'})).toMatchObject({code: 'EXEC_NOT_FOUND'})
    expect(await ask('state', {misspelt: 1})).toMatchObject({code: 'INVALID_REQUEST'})
    expect(woken).toBe(0)
  })

  it('shows its output and its log, also what was written since it fell asleep', async () => {
    write(...histories.running)
    print('one\n')
    print('err\n', 'stderr')
    await fallAsleep()
    expect(await ask('output', {stream: 'stdout'})).toEqual({
      offset: 0,
      data: Buffer.from('one\n').toString('base64'),
      total: 4,
      ended: false,
    })
    print('two\n')
    expect(await ask('output', {stream: 'stdout', offset: 4})).toMatchObject({data: Buffer.from('two\n').toString('base64'), total: 8})
    const log = await ask('log', {tail: 2})
    expect(log).toMatchObject({ended: false, entries: [{stream: 'stderr'}, {stream: 'stdout'}]})
    expect(woken).toBe(0)
  })

  it('has ended its output when it was asleep with nothing left to do; and otherwise its supervisor has to say so', async () => {
    write(...histories.stopped)
    print('last\n')
    await fallAsleep()
    expect(await ask('output', {stream: 'stdout', offset: 5, watchMs: 10_000})).toEqual({offset: 5, data: '', total: 5, ended: true})
    expect(await ask('log', {watchMs: 10_000})).toMatchObject({ended: true})
    expect(woken).toBe(0)
    // Something has happened since, without a supervisor that has fallen asleep after it.
    write(happen.deleteRequested)
    await expectWake('output', {stream: 'stdout'})
  })

  it('is woken by those who want output published, or kept for them', async () => {
    write(...histories.running)
    print('one\n')
    await fallAsleep()
    await expectWake('output', {stream: 'stdout', watchMs: 10_000})
    await expectWake('log', {watchMs: 10_000})
    await expectWake('output', {stream: 'stdout', holdMs: 10_000})
  })

  it('is woken by commands, and by nothing that only looks', async () => {
    write(...histories.running)
    await fallAsleep()
    expect(await ask('top')).toEqual({processes: []})
    expect(await ask('stats')).toMatchObject({state: 'running'})
    expect(woken).toBe(0)
    await expectWake('kill', {})
    await expectWake('republish', {})
  })

  it('answers who waits for its exit when that is in the journal, also one that has waited before it fell asleep', async () => {
    write(...histories.running)
    await fallAsleep()
    expect(await ask('wait', {waitMs: 50})).toMatchObject({code: 'TIMED_OUT', message: 'it has not exited within 50 ms'})
    const waiting = ask('wait')
    await client.flush()
    write(happen.exited)
    expect(await waiting).toMatchObject({state: 'stopped', exit: {type: 'code', code: 7}})
    expect(await ask('wait', {waitMs: 50})).toMatchObject({state: 'stopped'})
    expect(woken).toBe(0)
  })

  it('publishes samples for those who ask, until its supervisor does', async () => {
    write(...histories.running)
    const samples: Msg[] = []
    const handedOn: Msg[] = []
    client.subscribe(subjects.stats(address), {callback: (_error, message) => void samples.push(message)})
    client.subscribe(subjects.own(address), {callback: (_error, message) => void handedOn.push(message)})
    await fallAsleep({watchStatsMs: 30_000})
    await expect.poll(() => samples.length, {timeout: 20_000}).toBeGreaterThan(0)
    expect(samples[0]?.json()).toMatchObject({state: 'running'})
    client.publish(subjects.nodeCommand(node, 'awake'), JSON.stringify(name))
    await expect.poll(() => handedOn.length).toBe(1)
    expect(handedOn[0]?.subject).toBe('tally.own.node.default.web.cmd.stats')
    expect(handedOn[0]?.json<{watchMs: number}>().watchMs).toBeGreaterThan(20_000)
    expect(handedOn[0]?.json<{watchMs: number}>().watchMs).toBeLessThan(30_000)
  })

  it('that is gone is not found', async () => {
    write(...histories.stopped)
    await fallAsleep()
    write(happen.deleteRequested, happen.deleted)
    expect(await ask('state')).toMatchObject({code: 'CONTAINER_NOT_FOUND'})
  })

  it('is one for the next coordinator, too, which finds that all output is in the log', async () => {
    write(...histories.stopped)
    await fallAsleep()
    client.publish(subjects.nodeCommand(node, 'awake'), JSON.stringify(name))
    await client.flush()
    await sleepers.standIn.take(name)
    expect(sleepers.standIn.isSleeping(name)).toBe(true)
    expect(await ask('output', {stream: 'stdout'})).toMatchObject({ended: true})
    writeFileSync(`${layout.runDir}/asleep`, 'u1:1')
    await expectWake('output', {stream: 'stdout'})
  })
})

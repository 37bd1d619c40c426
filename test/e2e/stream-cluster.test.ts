/** Three servers, three copies: any one of them may die and come back while commands run. */
import {afterAll, beforeAll, expect, test} from 'vitest'
import {toEventId} from '../../machines/ledger/cloud-event.ts'
import type {ContainerView} from '../../machines/views/view.ts'
import type {StreamStanding} from '../../src/messaging/stream-limits.ts'
import {startNatsCluster, type NatsCluster} from '../support/nats-cluster.ts'
import type {NatsServer} from '../support/nats-server.ts'
import {eventually, useNode} from '../support/tally-node.ts'

let cluster: NatsCluster
let login: readonly string[]
beforeAll(async () => {
  cluster = await startNatsCluster({stream: false})
  const [first] = cluster.servers
  if (!first) throw new Error('a cluster has servers')
  const {user, password} = first.credentials
  const urls = cluster.servers.map(({url}) => url).join(',')
  login = ['--nats', urls, '--user', user, '--password', password, '--http', 'off']
})
afterAll(() => cluster[Symbol.asyncDispose]())
const node = useNode({args: () => [...login, '--stream-replicas', '3', '--stream-max-age', '1d']})

test('the stream has the copies and the age that were asked for, and other ones when they are set', async () => {
  const show = () => node.json<StreamStanding>('stream', 'show')
  expect(await show()).toMatchObject({name: 'TALLY_EVENTS', limits: {replicas: 3, maxAgeMs: 86_400_000, maxBytes: 0}})
  expect((await show()).copies?.map(({server}) => server).sort()).toEqual(['a', 'b', 'c'])
  expect(await node.tally('stream', 'set', '--max-bytes', '1g')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('1 GiB at most'),
  })
  expect(await show()).toMatchObject({limits: {replicas: 3, maxAgeMs: 86_400_000, maxBytes: 1024 ** 3}})
  expect(await node.tally('stream', 'set', '--replicas', '5')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/refused 5 copies: .*\[STREAM_LIMITS_REFUSED\]/),
  })
})

test('a second coordinator under the name of this one is refused', async () => {
  const other = ['up', '-d', '--state-dir', `${node.dir}/other`, '--run-dir', `${node.dir}/other-run`, ...login]
  expect(await node.tally(...other)).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(
      new RegExp(`another coordinator answers for node n1 on this NATS .*${node.stateDir}.*\\[NODE_RUNNING\\]`),
    ),
  })
})

test('nothing that was accepted is lost or doubled while each server in turn dies and comes back, and a wait goes on', async () => {
  const run = (id: string, script: string) => node.tally('run', '-d', '--name', id, '--rootfs', node.rootfs, '--', 'sh', '-c', script)
  const waitForEnd = 'echo begun; while [ ! -e /tmp/end ]; do sleep 0.2; done; echo ended; exit 7'
  const waiting = node.spawn('run', '--name', 'long', '--rw', '--rootfs', node.rootfs, '--', 'sh', '-c', waitForEnd)
  await eventually('long runs', async () => (await node.tally('logs', 'long')).stdout === 'begun\n')
  const accepted: string[] = []
  for (const [index, server] of cluster.servers.entries()) {
    await server.kill()
    for (const turn of ['a', 'b']) {
      const id = `c${index}${turn}`
      // Refused, or without an answer, it may be retried; once accepted it is there.
      await eventually(`${id} is made`, async () => (await run(id, 'exit 3')).exitCode === 0 || (await isThere(id)))
      accepted.push(id)
      await eventually(`${id} has ended`, async () => (await node.tally('wait', id)).stdout === '3\n')
    }
    await server.restart()
    await eventually('every server has all of the stream', () => isSettled(server))
  }
  await eventually('long is told to end', async () => (await node.tally('exec', 'long', 'touch', '/tmp/end')).exitCode === 0)
  const {exitCode, stdout, stderr} = await waiting
  expect({exitCode, stdout, stderr}).toEqual({exitCode: 7, stdout: 'begun\nended', stderr: expect.stringContaining('connected again')})
  for (const id of [...accepted, 'long']) {
    const journaled = node.journal(id).length
    let events: Awaited<ReturnType<typeof node.events>> = []
    // A stream that has just got another leader may not answer: an error, which is retried.
    const isPublished = async () => {
      events = await node.events(id).catch(() => [])
      return events.length >= journaled
    }
    await eventually(`${id} is published`, isPublished)
    expect(events.map(({sequence}) => sequence)).toEqual(Array.from({length: node.journal(id).length}, (_, at) => at + 1))
    expect(new Set(events.map(toEventId)).size).toBe(events.length)
  }
  const states = (await node.json<ContainerView[]>('ps', '-a')).map(({state}) => state)
  expect(states).toEqual(states.map(() => 'stopped'))
})

async function isThere(id: string): Promise<boolean> {
  return (await node.tally('ps', '-a', '-q')).stdout.split('\n').includes(id)
}

async function isSettled(server: NatsServer): Promise<boolean> {
  const connection = await server.connect()
  try {
    const {cluster: group} = await (await connection.jetstreamManager({checkAPI: false})).streams.info('TALLY_EVENTS')
    const replicas = group?.replicas ?? []
    return group?.leader !== undefined && replicas.length === 2 && replicas.every(({current, offline}) => current && !offline)
  } catch {
    // No leader yet.
    return false
  } finally {
    await connection.close()
  }
}

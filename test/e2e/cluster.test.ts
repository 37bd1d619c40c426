/** A cluster is more than the server that a node was started with. */
import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {expect, test} from 'vitest'
import {connectionSchema} from '../../src/messaging/connection.ts'
import {startNatsCluster} from '../support/nats-cluster.ts'
import type {NatsServer} from '../support/nats-server.ts'
import {eventually, startNode, type TallyNode} from '../support/tally-node.ts'

function readServers(node: TallyNode): {readonly url: string; readonly servers?: readonly string[] | undefined} {
  return connectionSchema.parse(JSON.parse(readFileSync(join(node.runDir, 'connection.json'), 'utf8')))
}

test('any server may die and come back: commands that wait go on waiting, and others are answered', async () => {
  await using cluster = await startNatsCluster()
  const [first] = cluster.servers
  if (!first) throw new Error('a cluster has servers')
  const {user, password} = first.credentials
  await using node = await startNode({args: ['--nats', first.url, '--user', user, '--password', password]})
  await eventually('all servers are learnt', () => readServers(node).servers?.length === 3)
  const program = 'trap "exit 7" TERM; echo ready; while :; do sleep 0.1; done'
  await node.tally('run', '-d', '--name', 'c1', '--rootfs', node.rootfs, '--', 'sh', '-c', program)
  await eventually('it is ready', async () => (await node.tally('logs', 'c1')).stdout.includes('ready'))
  const wait = node.spawn('wait', 'c1')
  const attached = node.spawn(
    'run',
    '--name',
    'c2',
    '--rootfs',
    node.rootfs,
    '--',
    'sh',
    '-c',
    'n=0; while [ ! -e /end ]; do n=$((n + 1)); echo $n; sleep 0.005; done',
  )
  for (const server of cluster.servers) await outlive(node, server)
  await node.tally('kill', '-s', 'TERM', 'c1')
  const {exitCode, stdout, stderr} = await wait
  expect({exitCode, stdout, stderr}).toEqual({exitCode: 0, stdout: '7', stderr: expect.stringContaining('connected again')})
  expect(await node.tally('exec', 'c2', 'touch', '/end')).toMatchObject({exitCode: 0})
  const shown = await attached
  expect(shown.exitCode).toBe(0)
  const lines = shown.stdout.split('\n').map(Number)
  expect(lines.length).toBeGreaterThan(100)
  expect(lines).toEqual(lines.map((_, index) => index + 1))
  await eventually('every event is there', async () => (await node.events('c1').catch(() => [])).at(-1)?.type === 'container.exited')
  expect((await node.events('c1')).map(({sequence}) => sequence)).toEqual((await node.events('c1')).map((_, index) => index + 1))
})

/** While it is away, and after it is back. */
async function outlive(node: TallyNode, server: NatsServer): Promise<void> {
  await server.kill()
  for (let round = 1; round <= 3; round += 1) {
    expect(await node.tally('ps')).toMatchObject({exitCode: 0, stdout: expect.stringContaining('c1')})
    expect(await node.tally('exec', 'c1', 'echo', 'here')).toMatchObject({exitCode: 0, stdout: 'here\n'})
  }
  await eventually('another one is used', () => readServers(node).url !== server.url)
  await server.restart()
}

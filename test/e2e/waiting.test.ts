/** Whoever waits goes on waiting while nats-server is away. */
import {setTimeout as sleep} from 'node:timers/promises'
import {expect, test} from 'vitest'
import {type NatsServer, startNatsServer} from '../support/nats-server.ts'
import {eventually, startNode, type TallyNode} from '../support/tally-node.ts'

const lost = 'tally: the connection to NATS was lost; waiting for it to come back\ntally: connected again\n'
/** It ends when the test says so. */
const untilTold = 'trap "exit 7" TERM; echo ready; while :; do sleep 0.1; done'

async function start(node: TallyNode, name: string, ...flags: readonly string[]): Promise<void> {
  const started = await node.tally('run', '-d', '--name', name, ...flags, '--rootfs', node.rootfs, '--', 'sh', '-c', untilTold)
  expect(started).toMatchObject({exitCode: 0})
  await eventually(`${name} is ready`, async () => (await node.tally('logs', name)).stdout.includes('ready'))
}

async function startOn(server: NatsServer): Promise<TallyNode> {
  const {user, password} = server.credentials
  return await startNode({args: ['--nats', server.url, '--user', user, '--password', password]})
}

test('wait, for a container and for an added process, over a restart of the embedded server', async () => {
  await using node = await startNode()
  await start(node, 'c1')
  await node.tally('exec', '-d', '--id', 'e1', 'c1', 'sh', '-c', 'while [ ! -e /tmp/end ]; do sleep 0.1; done; exit 5')
  const waits = [node.spawn('wait', 'c1'), node.spawn('wait', '--exec', 'e1', 'c1')]
  await sleep(2_000)
  process.kill((await node.info()).natsPid ?? 0, 'SIGKILL')
  await eventually('the server is back', async () => (await node.tally('ps')).exitCode === 0)
  await node.tally('exec', 'c1', 'touch', '/tmp/end')
  expect(await waits[1]).toMatchObject({exitCode: 0, stdout: '5', stderr: lost.trimEnd()})
  await node.tally('kill', '-s', 'TERM', 'c1')
  expect(await waits[0]).toMatchObject({exitCode: 0, stdout: '7', stderr: lost.trimEnd()})
})

test('wait and stop, while the container ends and removes itself without NATS', async () => {
  await using server = await startNatsServer()
  await using node = await startOn(server)
  await start(node, 'c1', '--rm')
  await start(node, 'c2')
  const {pid} = await node.json<{readonly pid: number}>('inspect', 'c1')
  const wait = node.spawn('wait', 'c1')
  await node.tally('exec', 'c2', 'sh', '-c', 'kill -STOP 1')
  await sleep(1_500)
  const stop = node.spawn('stop', '-t', '4', 'c2')
  await sleep(1_500)
  await server.kill()
  process.kill(pid, 'SIGTERM')
  await sleep(5_000)
  await server.restart()
  expect(await wait).toMatchObject({exitCode: 0, stdout: '7'})
  expect(await stop).toMatchObject({exitCode: 0, stdout: 'c2'})
})

test('stats', async () => {
  await using server = await startNatsServer()
  await using node = await startOn(server)
  await start(node, 'c1')
  const stats = node.spawn('stats', '--json', 'c1')
  await sleep(2_000)
  await server.kill()
  await sleep(1_000)
  await server.restart()
  await eventually('samples again', async () => (await node.tally('ps')).exitCode === 0)
  await sleep(3_000)
  await node.tally('kill', '-s', 'TERM', 'c1')
  const {exitCode, stdout} = await stats
  expect(exitCode).toBe(0)
  expect(stdout.trim().split('\n').length).toBeGreaterThan(3)
})

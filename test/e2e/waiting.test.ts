/** Commands that wait go on waiting while nats-server is away. Each test has a node of its own, and waits beside the others. */
import {readdirSync, readlinkSync} from 'node:fs'
import {setTimeout as sleep} from 'node:timers/promises'
import {expect, test} from 'vitest'
import {type NatsServer, startNatsServer} from '../support/nats-server.ts'
import type {ContainerView} from '../../machines/views/view.ts'
import {sendSignal} from '../support/send-signal.ts'
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

test.concurrent('wait, for a container and for an added process, over a restart of the embedded server', async () => {
  await using node = await startNode()
  await start(node, 'c1')
  await node.tally('exec', '-d', '--id', 'e1', 'c1', 'sh', '-c', 'while [ ! -e /tmp/end ]; do sleep 0.1; done; exit 5')
  const waits = [node.spawn('wait', 'c1'), node.spawn('wait', '--exec', 'e1', 'c1')]
  for (const {pid} of waits) await isConnected(pid)
  sendSignal((await node.info()).natsPid, 'SIGKILL')
  await eventually('the server is back', async () => (await node.tally('ps')).exitCode === 0)
  await node.tally('exec', 'c1', 'touch', '/tmp/end')
  expect(await waits[1]).toMatchObject({exitCode: 0, stdout: '5', stderr: lost.trimEnd()})
  await node.tally('kill', '-s', 'TERM', 'c1')
  expect(await waits[0]).toMatchObject({exitCode: 0, stdout: '7', stderr: lost.trimEnd()})
})

test.concurrent('wait and stop, while the container ends and removes itself without NATS', async () => {
  await using server = await startNatsServer()
  await using node = await startOn(server)
  await start(node, 'c1', '--rm')
  await start(node, 'c2')
  const {pid} = await node.json<{readonly pid: number}>('inspect', 'c1')
  const wait = node.spawn('wait', 'c1')
  // Frozen, so that the stop is under way until its grace period ends. From inside the container init would ignore the signal.
  sendSignal((await node.json<ContainerView>('inspect', 'c2')).pid, 'SIGSTOP')
  await isConnected(wait.pid)
  const stop = node.spawn('stop', '-t', '4', 'c2')
  await eventually('the stop is under way', () => node.journal('c2').some((line) => line.includes('container.stop-requested')))
  await server.kill()
  sendSignal(pid, 'SIGTERM')
  // Longer than the time that the stop leaves.
  await sleep(5_000)
  await server.restart()
  expect(await wait).toMatchObject({exitCode: 0, stdout: '7'})
  expect(await stop).toMatchObject({exitCode: 0, stdout: 'c2'})
})

test.concurrent('stats', async () => {
  await using server = await startNatsServer()
  await using node = await startOn(server)
  await start(node, 'c1')
  const stats = node.spawn('stats', '--json', 'c1')
  let samples = 0
  stats.stdout.on('data', (bytes: Buffer) => {
    samples += bytes.toString().split('\n').length - 1
  })
  await eventually('samples', () => samples > 0)
  await server.kill()
  await server.restart()
  const before = samples
  await eventually('samples again', () => samples > before + 2)
  await node.tally('kill', '-s', 'TERM', 'c1')
  expect((await stats).exitCode).toBe(0)
})

/** Once it is connected, it sends its request. */
async function isConnected(pid: number | undefined): Promise<void> {
  const links = () => readdirSync(`/proc/${pid}/fd`).map((fd) => readLink(`/proc/${pid}/fd/${fd}`))
  // Its input, output and errors are sockets here as well.
  await eventually('it is connected', () => links().filter((link) => link.startsWith('socket:')).length > 3)
  await sleep(500)
}

function readLink(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

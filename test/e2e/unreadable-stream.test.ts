/** A stream that takes what is published and gives nothing back: the node goes on, and nothing waits for ever or says what it cannot know. */
import {afterAll, beforeAll, expect, test} from 'vitest'
import type {ContainerView, NodeInfo} from '../../machines/views/view.ts'
import {startDeafProxy} from '../support/deaf-proxy.ts'
import {startNatsServer} from '../support/nats-server.ts'
import {useNode} from '../support/tally-node.ts'

const stack = new AsyncDisposableStack()
let login: readonly string[]
beforeAll(async () => {
  const server = stack.use(await startNatsServer())
  const proxy = stack.use(await startDeafProxy(server.port, 0))
  login = ['--nats', proxy.url, '--user', server.credentials.user, '--password', server.credentials.password]
})
afterAll(() => stack.disposeAsync())
const node = useNode({args: () => [...login, '--http', 'off']})

async function listAll(): Promise<Readonly<Record<string, string>>> {
  const views = await node.json<ContainerView[]>('ps', '-a')
  return Object.fromEntries(views.map(({id, state}) => [id, state]))
}

test('containers are listed as they are, and forgotten when they are deleted', async () => {
  const run = (id: string, ...args: readonly string[]) => node.tally('run', '-d', '--name', id, '--rootfs', node.rootfs, '--', ...args)
  expect(await run('lives', 'sleep', '1000')).toMatchObject({exitCode: 0, stderr: ''})
  expect(await run('ends', 'true')).toMatchObject({exitCode: 0})
  expect(await run('goes', 'true')).toMatchObject({exitCode: 0})
  await node.tally('wait', 'ends', 'goes')
  expect(await node.tally('create', '--name', 'made', '--rootfs', node.rootfs, '--', 'true')).toMatchObject({exitCode: 0})
  expect(await listAll()).toEqual({lives: 'running', ends: 'stopped', goes: 'stopped', made: 'created'})
  expect(await node.tally('rm', 'goes')).toMatchObject({exitCode: 0})
  expect(await listAll()).toEqual({lives: 'running', ends: 'stopped', made: 'created'})
  expect(await node.json<NodeInfo>('info')).toMatchObject({containers: {running: 1, stopped: 1, created: 1}})
  expect(await node.tally('kill', '-s', 'CONT', 'lives')).toMatchObject({exitCode: 0})
})

test('whatever reads the stream to its end ends, and says what it could not read', async () => {
  // Together, since each waits until the server has been silent for long enough.
  const [explained, events, inspected, checked] = await Promise.all([
    node.tally('explain', 'lives'),
    node.tally('events', '--no-follow'),
    node.tally('inspect', 'lives'),
    node.tally('fsck'),
  ])
  const unreadable = {exitCode: 1, stdout: '', stderr: expect.stringMatching(/cannot be read from its beginning on.*\[STREAM_UNREADABLE\]/)}
  expect({explained, events}).toEqual({explained: unreadable, events: unreadable})
  expect(JSON.parse(inspected.stdout)).toMatchObject({id: 'lives', state: 'running', events: null})
  expect(inspected).toMatchObject({exitCode: 0, stderr: expect.stringMatching(/the history of lives is missing: .*cannot be read/)})
  expect(checked.stdout).toMatch(/^not compared: journals with the stream: stream TALLY_EVENTS cannot be read /)
  expect(checked.stdout).toMatch(/\nnode n1: nothing that disagrees, but not everything was compared\n$/)
  expect(checked.exitCode).toBe(1)
})

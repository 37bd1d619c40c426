import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {afterAll, beforeAll, expect, it} from 'vitest'
import type {ContainerView, LogReply} from '../../machines/views/view.ts'
import {connectTally, type TallyClient} from '../../src/client/index.ts'
import {connectionSchema} from '../../src/messaging/connection.ts'
import {eventually, useNode} from '../support/tally-node.ts'
import {type Visitor, visit} from '../support/visitor.ts'

const node = useNode({args: ['--http', '127.0.0.1:0']})
let visitor: Visitor
/** Another node, which has no nats-server of its own. */
let other: TallyClient
let otherOptions: readonly string[]
beforeAll(async () => {
  visitor = await visit(node)
  const {url, credentials} = connectionSchema.parse(JSON.parse(readFileSync(join(node.runDir, 'connection.json'), 'utf8')))
  if (credentials.type !== 'user') throw new Error(`expected a password, got ${credentials.type}`)
  const directories = ['--state-dir', join(node.dir, 'state2'), '--run-dir', join(node.dir, 'run2'), '--node', 'n2']
  otherOptions = [...directories, '--nats', url, '--user', credentials.user, '--password', credentials.password]
  expect(await node.tally('up', '-d', '--http', 'off', ...otherOptions)).toMatchObject({exitCode: 0})
  other = await connectTally({runDir: join(node.dir, 'run2')})
  await other.create({id: 'far', rootfs: node.rootfs, args: ['sh', '-c', 'echo hello; sleep 600']})
  await other.container('far').start()
})
afterAll(async () => {
  await other[Symbol.asyncDispose]()
  expect(await node.tally('down', '--containers', ...otherOptions)).toMatchObject({exitCode: 0})
})

const far = '/api/containers/n2/default/far'

it('shows the containers of all nodes on the same NATS', async () => {
  await eventually('listed', async () => {
    const {containers} = await visitor.json<{containers: readonly ContainerView[]}>('/api/containers')
    return containers.some(({node: where, id, state}) => where === 'n2' && id === 'far' && state === 'running')
  })
})

it('reads, commands and joins those of another node as its own', async () => {
  const {entries} = await visitor.json<LogReply>(`${far}/log?tail=10`)
  expect(entries.map(({data}) => Buffer.from(data, 'base64').toString())).toEqual(['hello\n'])
  expect((await visitor.ask('GET', `${far}/events`)).status).toBe(200)
  expect((await visitor.post(`${far}/pause`)).status).toBe(200)
  expect((await visitor.post(`${far}/resume`)).status).toBe(200)
  using terminal = visitor.open(`${far}/terminal?mode=exec`)
  await eventually('ready', () => terminal.messages.length > 0)
  terminal.type('hostname; exit 3\n')
  await terminal.ended
  expect(terminal.output).toContain('far\r\n')
  expect(terminal.messages.at(-1)).toEqual({type: 'exit', exit: {type: 'code', code: 3}})
  const [sample] = await visitor.follow('/api/stats', ({length}) => length > 0)
  expect(JSON.parse(sample?.data ?? '')).toMatchObject({node: 'n2', id: 'far', state: 'running'})
})

it('reports a node that is not there as it reports a container', async () => {
  const {status, text} = await visitor.post('/api/containers/n3/default/far/start')
  expect({status, ...JSON.parse(text)}).toMatchObject({status: 404, code: 'CONTAINER_NOT_FOUND'})
})

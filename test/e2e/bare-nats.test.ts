/** What any NATS client in any language can do that has read connection.json. */
import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {connect, headers, type Msg, type NatsConnection} from 'nats'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {eventually, useNode} from '../support/tally-node.ts'

const node = useNode()
let nats: NatsConnection
beforeAll(async () => {
  const {url, credentials} = JSON.parse(readFileSync(join(node.runDir, 'connection.json'), 'utf8'))
  nats = await connect({servers: url, user: credentials.user, pass: credentials.password})
})
afterAll(() => nats.close())

async function ask(verb: string, request: unknown = {}): Promise<Record<string, unknown>> {
  const reply = await nats.request(`tally.cmd.n1.${verb}`, JSON.stringify(request), {timeout: 60_000})
  return reply.json()
}

async function askService(verb: 'PING' | 'INFO' | 'STATS', name: string): Promise<readonly Record<string, unknown>[]> {
  const replies: Msg[] = []
  for await (const reply of await nats.requestMany(`$SRV.${verb}.${name}`, '', {maxWait: 500})) replies.push(reply)
  return replies.map((reply) => reply.json())
}

describe('a bare NATS client', () => {
  it('drives the whole life of a container, and sees its events and output', async () => {
    const seen: string[] = []
    const output: string[] = []
    nats.subscribe('tally.evt.n1.default.bare.>', {
      callback: (_, message) => void seen.push(message.subject.split('.').slice(-2).join('.')),
    })
    nats.subscribe('tally.log.n1.default.bare.stdout', {callback: (_, message) => void output.push(message.string())})
    await nats.flush()
    const script = 'trap "echo bye; exit 4" TERM; echo hello; while true; do sleep 0.05; done'
    expect(await ask('create', {id: 'bare', rootfs: node.rootfs, args: ['sh', '-c', script]})).toMatchObject({id: 'bare', state: 'created'})
    expect(await ask('default.bare.log', {watchMs: 60_000})).toMatchObject({entries: [], end: 0})
    expect(await ask('default.bare.start')).toMatchObject({state: 'running', pid: expect.any(Number)})
    expect(await ask('default.bare.state')).toMatchObject({state: 'running'})
    expect(await ask('list')).toMatchObject({containers: [{id: 'bare', state: 'running'}]})
    expect(await ask('default.bare.kill', {signal: 'CONT'})).toMatchObject({state: 'running'})
    await eventually('it has set its trap', () => output.join('') === 'hello\n')
    expect(await ask('default.bare.stop', {graceMs: 5_000})).toMatchObject({state: 'stopped', exit: {type: 'code', code: 4}})
    expect(await ask('default.bare.wait')).toMatchObject({exit: {type: 'code', code: 4}})
    const {data} = await ask('default.bare.output', {stream: 'stdout'})
    expect(Buffer.from(String(data), 'base64').toString()).toBe('hello\nbye\n')
    expect(await ask('default.bare.delete')).toMatchObject({state: 'deleted'})
    expect(output.join('')).toBe('hello\nbye\n')
    expect(seen).toEqual([
      'container.create-requested',
      'container.created',
      'container.start-requested',
      'container.started',
      'container.kill-requested',
      'container.signalled',
      'container.stop-requested',
      'container.signalled',
      'container.exited',
      'container.delete-requested',
      'container.deleted',
    ])
    await expect(nats.request('tally.cmd.n1.default.bare.state')).rejects.toMatchObject({code: '503'})
  })

  it('finds coordinator and supervisors as NATS services', async () => {
    await ask('create', {id: 'served', rootfs: node.rootfs, args: ['true']})
    for (const verb of ['PING', 'INFO', 'STATS'] as const) {
      expect(await askService(verb, 'tally-coordinator')).toMatchObject([{name: 'tally-coordinator', metadata: {node: 'n1'}}])
      const [supervisor] = await askService(verb, 'tally-supervisor')
      expect(supervisor).toMatchObject({name: 'tally-supervisor', metadata: {namespace: 'default', id: 'served', node: 'n1'}})
    }
    await ask('default.served.delete')
  })

  it('gives its name as actor, and finds what followed by its correlation id', async () => {
    const origin = headers()
    origin.set('Tally-Actor', 'alice')
    origin.set('Tally-Correlation-Id', 'deploy-17')
    await nats.request('tally.cmd.n1.create', JSON.stringify({id: 'named', rootfs: node.rootfs, args: ['true']}), {
      headers: origin,
      timeout: 20_000,
    })
    const events = await node.events('named')
    expect(events.map(({type, actor, correlationId}) => [type, actor, correlationId])).toEqual([
      ['container.create-requested', 'alice', 'deploy-17'],
      ['container.created', 'supervisor', 'deploy-17'],
    ])
    await ask('default.named.delete')
  })

  it.each([
    ['not JSON', 'tally.cmd.n1.create', '{', 400, 'INVALID_REQUEST', /expected JSON/],
    ['not UTF-8', 'tally.cmd.n1.create', Buffer.from([0x22, 0xff, 0x22]), 400, 'INVALID_REQUEST', /UTF-8/],
    ['a wrong type', 'tally.cmd.n1.list', '{"all":"yes"}', 400, 'INVALID_REQUEST', /all: expected boolean, got "yes"/],
    ['an unknown field', 'tally.cmd.n1.list', '{"al":true}', 400, 'INVALID_REQUEST', /al/],
    ['too large', 'tally.cmd.n1.create', 'x'.repeat(300_000), 400, 'REQUEST_TOO_LARGE', /at most 262144 bytes, got 300000/],
    ['a missing root file system', 'tally.cmd.n1.create', '{"rootfs":"/nonexistent","args":["x"]}', 400, 'ROOTFS_INVALID', /\/nonexistent/],
  ])('gets an error that says what is wrong with a request that is %s', async (_, subject, payload, number, code, message) => {
    const reply = await nats.request(subject, payload, {timeout: 60_000})
    expect(reply.headers?.get('Nats-Service-Error-Code')).toBe(String(number))
    expect(reply.headers?.get('Nats-Service-Error')).toMatch(message)
    expect(reply.json()).toEqual({code, kind: 'invalid', message: expect.stringMatching(message), details: expect.any(Object)})
  })

  it('needs the credentials', async () => {
    await expect(connect({servers: nats.getServer(), reconnect: false})).rejects.toThrow(/AUTHORIZATION|Authorization/i)
  })
})

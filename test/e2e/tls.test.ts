import {mkdirSync, readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {execa} from 'execa'
import {expect, test} from 'vitest'
import {connectionSchema} from '../../src/messaging/connection.ts'
import {startNatsServer, toTlsFile} from '../support/nats-server.ts'
import {startRecordingServer} from '../support/recording-server.ts'
import {type Ran, startNode, type TallyNode} from '../support/tally-node.ts'

const tally = join(import.meta.dirname, '../../bin/tally')
const ca = toTlsFile('ca.pem')

async function tallyWith(configHome: string, {env}: TallyNode, ...verb: readonly string[]): Promise<Ran> {
  const {exitCode, stdout, stderr} = await execa(tally, verb, {env: {...env, XDG_CONFIG_HOME: configHome}, reject: false, timeout: 120_000})
  return {exitCode, stdout, stderr}
}

test('no process sends anything to a server without TLS when tls:// is asked for, and up says why', async () => {
  await using fake = await startRecordingServer()
  await using node = await startNode({up: false})
  const access = ['--nats', `tls://127.0.0.1:${fake.port}`, '--user', 'tally', '--password', 's3cret']
  const refusal = {exitCode: 1, stdout: '', stderr: expect.stringContaining('it does not offer it [NATS_TLS_FAILED]')}
  expect(await node.tally('up', '-d', ...access)).toMatchObject(refusal)
  expect(await node.tally('ps', ...access)).toMatchObject(refusal)
  expect((await node.tally('fsck', ...access)).stdout).toContain('it does not offer it')
  expect(fake.received).toBe('')
  expect(fake.connections).toBeGreaterThanOrEqual(3)
})

test('a node with TLS and a client certificate runs containers, and later commands know of both', async () => {
  await using server = await startNatsServer({tls: {verify: 'ca'}})
  await using node = await startNode({up: false})
  const {user, password} = server.credentials
  const access = ['--nats', server.url, '--user', user, '--password', password]
  const files = ['--tls-ca', ca, '--tls-cert', toTlsFile('client.pem'), '--tls-key', toTlsFile('client.key')]
  const without = await node.tally('up', '-d', ...access, '--tls-ca', ca)
  expect(without).toMatchObject({exitCode: 1, stderr: expect.stringContaining('it wants a client certificate')})
  expect(await node.tally('up', '-d', ...access, ...files)).toMatchObject({exitCode: 0, stderr: ''})
  const ran = await node.tally('run', '--rm', '--rootfs', node.rootfs, '--', 'sh', '-c', 'echo hello; exit 7')
  expect(ran).toEqual({exitCode: 7, stdout: 'hello\n', stderr: ''})
  const known = connectionSchema.parse(JSON.parse(readFileSync(join(node.runDir, 'connection.json'), 'utf8')))
  expect(known.tls).toEqual({ca, cert: toTlsFile('client.pem'), key: toTlsFile('client.key')})
})

test('a context of the nats tool says all of it', async () => {
  await using server = await startNatsServer({tls: {}})
  await using node = await startNode({up: false})
  const {user, password} = server.credentials
  const contexts = join(node.dir, 'config/nats/context')
  mkdirSync(contexts, {recursive: true})
  writeFileSync(join(contexts, 'prod.json'), JSON.stringify({url: server.url, user, password, ca}))
  const home = join(node.dir, 'config')
  expect(await tallyWith(home, node, 'up', '-d', '--nats-context', 'prod')).toMatchObject({exitCode: 0, stderr: ''})
  expect(await node.tally('ps')).toMatchObject({exitCode: 0})
  expect(await tallyWith(home, node, 'ps', '--nats-context', 'prod', '--node', 'n1')).toMatchObject({exitCode: 0})
})

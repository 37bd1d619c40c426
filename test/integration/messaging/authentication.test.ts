import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {afterAll, expect, test} from 'vitest'
import {connectNats} from '../../../src/messaging/connection.ts'
import {makeJwts, makeNkey} from '../../support/nats-jwt.ts'
import {startNatsServer} from '../../support/nats-server.ts'
import {makeTempDir} from '../../support/temp-dir.ts'

const dir = makeTempDir()
afterAll(() => dir[Symbol.asyncDispose]())

function write(name: string, text: string): string {
  const file = join(dir.path, name)
  writeFileSync(file, text)
  return file
}

test('connects with an nkey, whatever stands around it in its file', async () => {
  const {publicKey, seed} = makeNkey()
  await using server = await startNatsServer({authorization: `authorization { users: [{nkey: ${publicKey}}] }`, jetstream: false})
  const file = write('nkey', `# of the node\n${seed}\n`)
  const connection = await connectNats({url: server.url, credentials: {type: 'nkey', file}, name: 'test'})
  expect(await connection.rtt()).toBeGreaterThanOrEqual(0)
  await connection.close()
})

test('connects with a JWT and its nkey', async () => {
  const {config, creds} = makeJwts()
  await using server = await startNatsServer({authorization: config, jetstream: false})
  const connection = await connectNats({url: server.url, credentials: {type: 'creds', file: write('creds', creds)}, name: 'test'})
  expect(await connection.rtt()).toBeGreaterThanOrEqual(0)
  await connection.close()
})

test('an nkey that the server does not know is NATS_AUTH_FAILED', async () => {
  await using server = await startNatsServer({
    authorization: `authorization { users: [{nkey: ${makeNkey().publicKey}}] }`,
    jetstream: false,
  })
  const file = write('other', makeNkey().seed)
  await expect(connectNats({url: server.url, credentials: {type: 'nkey', file}, name: 'test'})).rejects.toMatchObject({
    code: 'NATS_AUTH_FAILED',
  })
})

test.each(['nkey', 'creds'] as const)('a file that holds no %s is NATS_AUTH_FAILED, and is named', async (type) => {
  const file = write('none', 'nothing of the kind\n')
  await expect(connectNats({url: 'nats://127.0.0.1:1', credentials: {type, file}, name: 'test'})).rejects.toMatchObject({
    code: 'NATS_AUTH_FAILED',
    message: expect.stringMatching(/^expected .*an nkey seed in the credentials file .*none$/),
  })
})

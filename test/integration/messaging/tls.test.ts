import {once} from 'node:events'
import {readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {createServer} from 'node:tls'
import {afterAll, describe, expect, test} from 'vitest'
import {type ConnectOptions, connectNats} from '../../../src/messaging/connection.ts'
import {findFreePort} from '../../support/free-port.ts'
import {startNatsServer, toTlsFile} from '../../support/nats-server.ts'
import {startRecordingServer} from '../../support/recording-server.ts'
import {makeTempDir} from '../../support/temp-dir.ts'

const credentials = {type: 'user', user: 'test', password: 'secret-of-the-test'} as const
const ca = toTlsFile('ca.pem')
const client = {cert: toTlsFile('client.pem'), key: toTlsFile('client.key')}

function attempt(options: Partial<ConnectOptions> & {readonly url: string}) {
  return connectNats({credentials, name: 'test', ...options})
}

describe('a server without TLS', () => {
  test.each([
    ['a tls:// URL', (port: number) => ({url: `tls://127.0.0.1:${port}`})],
    ['TLS:// in capitals', (port: number) => ({url: `TLS://127.0.0.1:${port}`})],
    ['an authority', (port: number) => ({url: `nats://127.0.0.1:${port}`, tls: {ca}})],
    ['a tls:// URL of another server', (port: number) => ({url: `nats://127.0.0.1:${port}`, servers: ['tls://127.0.0.1:1']})],
  ])('is sent nothing when TLS is demanded by %s', async (_what, toOptions) => {
    await using server = await startRecordingServer()
    await expect(attempt(toOptions(server.port))).rejects.toMatchObject({
      message: expect.stringContaining(`no TLS with the NATS server at ${toOptions(server.port).url}: it does not offer it`),
    })
    expect(server).toMatchObject({connections: 1, received: ''})
  })

  test('is sent the handshake alone when that comes first', async () => {
    await using server = await startRecordingServer()
    await expect(attempt({url: `tls://127.0.0.1:${server.port}`, tls: {ca, first: true}})).rejects.toMatchObject({
      code: 'NATS_TLS_FAILED',
      message: expect.stringContaining('it does not begin with TLS'),
    })
    expect(server.received).not.toContain('secret-of-the-test')
  })

  test('is sent nothing when it says that it has TLS, and has not', async () => {
    await using server = await startRecordingServer({tls_required: true})
    const hanging = attempt({url: `tls://127.0.0.1:${server.port}`, tls: {ca}, patienceMs: 1_000})
    await expect(hanging).rejects.toThrow(/it did not answer in time/)
    expect(server.received).not.toContain('CONNECT')
  })
})

describe('a server with TLS', () => {
  test('is connected to by its address or its name', async () => {
    await using server = await startNatsServer({tls: {}})
    for (const url of [server.url, `tls://localhost:${server.port}`, `nats://localhost:${server.port}`]) {
      const connection = await attempt({url, tls: {ca}})
      expect(await connection.rtt()).toBeGreaterThanOrEqual(0)
      await connection.close()
    }
  })

  test('is connected to when its handshake comes first', async () => {
    const server = createServer({cert: readFileSync(toTlsFile('server.pem')), key: readFileSync(toTlsFile('server.key'))}, (socket) => {
      socket.write('INFO {"server_id":"first","version":"2.10.0","proto":1,"headers":true,"tls_required":true,"max_payload":1048576}\r\n')
      socket.on('data', (bytes) => bytes.includes('PING') && socket.write('PONG\r\n'))
    })
    const port = await findFreePort()
    await once(server.listen(port, '127.0.0.1'), 'listening')
    const connection = await attempt({url: `tls://127.0.0.1:${port}`, tls: {ca, first: true}})
    await connection.close()
    server.close()
  })

  test('is connected to with our own certificate', async () => {
    await using server = await startNatsServer({tls: {verify: 'ca'}})
    const connection = await attempt({url: server.url, tls: {ca, ...client}})
    expect(await connection.rtt()).toBeGreaterThanOrEqual(0)
    await connection.close()
  })

  test('may have the certificate of a name that was given for another server of the cluster', async () => {
    await using server = await startNatsServer({tls: {certificate: 'named'}})
    const connection = await attempt({url: server.url, servers: [server.url, 'tls://nats.test:4222'], tls: {ca}})
    await connection.close()
  })

  test.each([
    ['of an authority that is not known', {}, undefined, /signed by an authority that is not known here; --tls-ca FILE/],
    ['of another authority', {}, {ca: toTlsFile('other-ca.pem')}, /signed by an authority that is not known here/],
    ['of another name', {certificate: 'named'}, {ca}, /is for another server: DNS:nats\.test/],
    ['that has expired', {certificate: 'expired'}, {ca}, /has expired/],
  ] as const)('is refused with a certificate %s', async (_what, serverTls, tls, message) => {
    await using server = await startNatsServer({tls: serverTls})
    await expect(attempt({url: server.url, ...(tls && {tls})})).rejects.toMatchObject({
      code: 'NATS_TLS_FAILED',
      message: expect.stringMatching(message),
    })
  })

  test.each([
    ['none', 'ca', {ca}, /wants a client certificate: --tls-cert FILE and --tls-key FILE/],
    ['one it does not know', 'other-ca', {ca, ...client}, /does not accept the certificate of --tls-cert/],
  ] as const)('that wants a client certificate, and gets %s, says so', async (_what, verify, tls, message) => {
    await using server = await startNatsServer({tls: {verify}})
    await expect(attempt({url: server.url, tls})).rejects.toMatchObject({
      code: 'NATS_TLS_FAILED',
      message: expect.stringMatching(message),
    })
  })
})

describe('files', () => {
  const dir = makeTempDir()
  afterAll(() => dir[Symbol.asyncDispose]())
  const noPem = join(dir.path, 'no.pem')
  writeFileSync(noPem, 'this is no certificate\n')

  test.each([
    ['that is missing', {ca: '/nonexistent/ca.pem'}, 'cannot read /nonexistent/ca.pem'],
    ['that holds no certificate', {ca: noPem}, `expected a certificate in PEM in ${noPem}`],
    ['with a key of another certificate', {ca, cert: client.cert, key: toTlsFile('server.key')}, 'a key that belongs to ours'],
  ])('one %s is named', async (_what, tls, message) => {
    await expect(attempt({url: 'tls://127.0.0.1:1', tls})).rejects.toMatchObject({
      code: 'NATS_TLS_FAILED',
      message: expect.stringContaining(message),
    })
  })
})

test.each(['ws://127.0.0.1:1', 'wss://127.0.0.1:1'])('%s is refused', async (url) => {
  await expect(attempt({url})).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining('NATS over WebSocket is not spoken here'),
  })
})

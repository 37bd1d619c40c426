import {once} from 'node:events'
import {readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync} from 'node:fs'
import {createServer} from 'node:net'
import {join} from 'node:path'
import {expect, test} from 'vitest'
import {isAlive, readProcessStat} from '../../../src/linux/process-table.ts'
import {type Credentials, connectNats} from '../../../src/messaging/connection.ts'
import {type EmbeddedServer, findEmbeddedServer, startEmbeddedServer, stopEmbeddedServer} from '../../../src/messaging/embedded-server.ts'
import {askJetStream, fromJetStream} from '../../../src/messaging/jetstream.ts'
import {ensureEventStream, lastStreamSequence} from '../../../src/messaging/stream.ts'
import {createSubjects} from '../../../src/messaging/subjects.ts'
import {listProcessesThatName} from '../../support/leaks.ts'
import {options} from './embedded-server-fixture.ts'

function login({url, credentials}: Pick<EmbeddedServer, 'url' | 'credentials'>) {
  return connectNats({url, credentials, name: 'test'})
}

async function kill({process: identity}: EmbeddedServer): Promise<void> {
  process.kill(identity.pid, 'SIGKILL')
  await expect.poll(() => isAlive(identity), {interval: 5}).toBe(false)
}

test('what it writes cannot be read by other users, and its password is in no command line', async () => {
  const {process: identity, credentials} = await startEmbeddedServer(options)
  const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)
  for (const file of ['nats-server.conf', 'settings.json', 'nats-server.log'])
    expect([file, mode(join(options.dir, file))]).toEqual([file, '600'])
  expect(mode(join(options.runDir, 'nats-server.pid.json'))).toBe('600')
  expect([mode(options.dir), mode(options.runDir)]).toEqual(['700', '700'])
  if (credentials.type !== 'user') throw new Error('expected a user and a password')
  expect(credentials.password.length).toBeGreaterThanOrEqual(43)
  expect(readFileSync(`/proc/${identity.pid}/cmdline`, 'utf8')).not.toContain(credentials.password)
})

test('a client with the credentials is let in; without any, or with wrong ones, it is not', async () => {
  const server = await startEmbeddedServer(options)
  await (await login(server)).close()
  const others: readonly Credentials[] = [{type: 'none'}, {type: 'user', user: 'tally', password: 'wrong'}, {type: 'token', token: 'wrong'}]
  for (const credentials of others) {
    await expect(login({...server, credentials})).rejects.toMatchObject({code: 'NATS_AUTH_FAILED', kind: 'unavailable'})
  }
})

test('it listens on loopback and nowhere else', async () => {
  const {process: identity, url} = await startEmbeddedServer(options)
  const listening = ['tcp', 'tcp6'].flatMap((table) => listenersOf(identity.pid, table))
  const port = Number(new URL(url).port).toString(16).toUpperCase().padStart(4, '0')
  expect(listening).toEqual([`0100007F:${port}`])
})

test('a second caller finds the one that runs', async () => {
  const first = await startEmbeddedServer(options)
  expect(await startEmbeddedServer(options)).toEqual(first)
  expect(await findEmbeddedServer(options)).toEqual(first)
  expect(listProcessesThatName(options.dir)).toHaveLength(1)
})

test('it is found when its run directory has been wiped, and when the disk of its own is full', async () => {
  const first = await startEmbeddedServer(options)
  rmSync(options.runDir, {recursive: true})
  expect(await startEmbeddedServer(options)).toEqual(first)
  rmSync(join(options.dir, 'nats-server.pid.json'))
  expect(await findEmbeddedServer(options)).toBeUndefined()
  writeFileSync(join(options.dir, 'nats-server.pid.json'), JSON.stringify({...first.process, jetStream: true}))
})

test('without JetStream it serves the same, and with it again it has what was in its streams', async () => {
  const first = await startEmbeddedServer(options)
  const before = await login(first)
  await ensureEventStream(before, createSubjects('tally'))
  await before.jetstream().publish('tally.evt.n1.default.a.container.created', '{}')
  await stopEmbeddedServer(options)
  const without = await startEmbeddedServer({...options, jetStream: false})
  expect(without).toMatchObject({url: first.url, credentials: first.credentials, jetStream: false})
  expect(await findEmbeddedServer(options)).toEqual(without)
  const meanwhile = await login(without)
  expect(await askJetStream(meanwhile, 5_000)).toBe('off')
  await expect(
    lastStreamSequence(meanwhile, createSubjects('tally')).catch((error: unknown) => Promise.reject(fromJetStream(error))),
  ).rejects.toMatchObject({
    code: 'JETSTREAM_UNAVAILABLE',
  })
  await stopEmbeddedServer(options)
  const after = await login(await startEmbeddedServer(options))
  expect(await lastStreamSequence(after, createSubjects('tally'))).toBe(1)
  expect(await askJetStream(after, 5_000)).toBe('well')
  for (const connection of [before, meanwhile, after]) await connection.close()
})

test('killed and started again it has the same port, the same password and what was in its streams', async () => {
  const first = await startEmbeddedServer(options)
  const before = await login(first)
  await ensureEventStream(before, createSubjects())
  await before.jetstream().publish('tally.evt.n1.default.web.container.started', 'x')
  await kill(first)
  expect(await findEmbeddedServer(options)).toBeUndefined()
  const second = await startEmbeddedServer(options)
  expect(second).toMatchObject({url: first.url, credentials: first.credentials})
  expect(second.process).not.toEqual(first.process)
  const after = await login(second)
  expect(await lastStreamSequence(after, createSubjects())).toBe(1)
  await after.close()
})

test('when another program has taken the port meanwhile, another port is used with the same password', async () => {
  const first = await startEmbeddedServer(options)
  await stopEmbeddedServer(options)
  const thief = createServer().listen(Number(new URL(first.url).port), '127.0.0.1')
  await once(thief, 'listening')
  const second = await startEmbeddedServer(options)
  thief.close()
  expect(second.url).not.toBe(first.url)
  expect(second.credentials).toEqual(first.credentials)
})

test('its pid is reported when it starts, and when it was reaped', async () => {
  const told: string[] = []
  const server = await startEmbeddedServer({...options, onSpawn: (pid) => told.push(`+${pid}`), onReaped: (pid) => told.push(`-${pid}`)})
  expect(told).toEqual([`+${server.process.pid}`])
  await stopEmbeddedServer(options)
  await expect.poll(() => told).toEqual([`+${server.process.pid}`, `-${server.process.pid}`])
})

test('stopping ends the process; stopping again, or what never ran, does nothing', async () => {
  expect(await stopEmbeddedServer(options)).toBe(false)
  const server = await startEmbeddedServer(options)
  expect(await stopEmbeddedServer(options)).toBe(true)
  expect(isAlive(server.process)).toBe(false)
  expect(await findEmbeddedServer(options)).toBeUndefined()
  expect(await stopEmbeddedServer(options)).toBe(false)
})

test('a pid file whose pid is another process by now names no server, and that process is left alone', async () => {
  const server = await startEmbeddedServer(options)
  await stopEmbeddedServer(options)
  const stat = readProcessStat(process.pid)
  writeFileSync(join(options.runDir, 'nats-server.pid.json'), JSON.stringify({...server.process, pid: process.pid}))
  expect(stat?.startTimeTicks).not.toBe(server.process.startTimeTicks)
  expect(await findEmbeddedServer(options)).toBeUndefined()
  expect(await stopEmbeddedServer(options)).toBe(false)
})

/** Local addresses as in /proc/net/tcp, in the state LISTEN (0A), of the sockets of a process. */
function listenersOf(pid: number, table: string): readonly string[] {
  return readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) => state === '0A' && inode !== undefined && hasSocket(pid, inode))
    .map(([, local = '']) => local)
}

function hasSocket(pid: number, inode: string): boolean {
  return readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === `socket:[${inode}]`)
}

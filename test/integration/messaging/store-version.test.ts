/** A store that nats-server 2.15.3 wrote, with the third of six events deleted: 2.9 reads it, and gets it wrong without a word. */
import {chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {beforeEach, expect, test} from 'vitest'
import {startEmbeddedServer} from '../../../src/messaging/embedded-server.ts'
import {connectNats} from '../../../src/messaging/connection.ts'
import {readEvents} from '../../../src/messaging/read-events.ts'
import {ensureEventStream, lastStreamSequence} from '../../../src/messaging/stream.ts'
import {createSubjects} from '../../../src/messaging/subjects.ts'
import {startNatsServer} from '../../support/nats-server.ts'
import {dir, options} from './embedded-server-fixture.ts'

const subjects = createSubjects()
const fixture = join(import.meta.dirname, '../../fixtures/stores/nats-2.15')
let log: string

beforeEach(() => {
  mkdirSync(options.dir, {recursive: true})
  log = join(options.dir, 'nats-server.log')
})

/** The real server under another version. */
function fakeVersion(version: string): string {
  const binary = join(dir.path, `nats-server-${version}`)
  writeFileSync(binary, `#!/bin/sh\n[ "$1" = --version ] && { echo "nats-server: v${version}"; exit; }\nexec nats-server "$@"\n`)
  chmodSync(binary, 0o755)
  return binary
}

test('a server older than the one that wrote the store is refused with both versions and what to do, and is not started', async () => {
  cpSync(fixture, join(options.dir, 'store'), {recursive: true})
  writeFileSync(join(options.dir, 'store-version'), '2.15.3\n')
  await expect(startEmbeddedServer({...options, binary: fakeVersion('2.9.10')})).rejects.toMatchObject({
    code: 'NATS_TOO_OLD',
    kind: 'precondition',
    message: expect.stringMatching(/written by nats-server 2\.15\.3, and \S+ is 2\.9\.10,.*--nats-server.*move the store away/),
    details: {writtenBy: '2.15.3', server: '2.9.10'},
  })
  expect(existsSync(log)).toBe(false)
})

test('where nothing was noted the store itself tells that 2.10 or newer has written it', async () => {
  cpSync(fixture, join(options.dir, 'store'), {recursive: true})
  await expect(startEmbeddedServer({...options, binary: fakeVersion('2.9.25')})).rejects.toMatchObject({
    code: 'NATS_TOO_OLD',
    message: expect.stringContaining('written by nats-server 2.10 or newer'),
  })
  expect(existsSync(log)).toBe(false)
})

test.each(['2.15.0', '2.15.3', '2.16.0', '3.0.0-RC.1', 'of somebody'])(
  'a server that is %s starts on a store of 2.15.3',
  async (version) => {
    writeFileSync(join(options.dir, 'store-version'), '2.15.3\n')
    await startEmbeddedServer({...options, binary: fakeVersion(version)})
  },
)

test('the version is noted when a server runs on the store', async () => {
  const {url, credentials} = await startEmbeddedServer(options)
  const connection = await connectNats({url, credentials, name: 'test'})
  expect(readFileSync(join(options.dir, 'store-version'), 'utf8')).toBe(`${connection.info?.version}\n`)
  await connection.close()
})

test('a server that misreads its store is detected at once, and one that reads it has every event', async () => {
  const storeDir = join(dir.path, 'theirs')
  cpSync(fixture, storeDir, {recursive: true})
  await using server = await startNatsServer({storeDir})
  const connection = await server.connect()
  const version = connection.info?.version ?? ''
  if (/^2\.9\./.test(version)) {
    const error = {
      code: 'STREAM_UNREADABLE',
      message: expect.stringContaining(`nats-server ${version} misreads the store of stream TALLY_EVENTS`),
    }
    await expect(ensureEventStream(connection, subjects)).rejects.toMatchObject(error)
    await expect(lastStreamSequence(connection, subjects)).rejects.toMatchObject(error)
    await expect(readEvents(connection, subjects, {follow: false}).next()).rejects.toMatchObject(error)
  } else {
    const seen: number[] = []
    for await (const {event} of readEvents(connection, subjects, {follow: false})) seen.push(event.sequence)
    expect(seen).toEqual([1, 2, 4, 5, 6])
  }
  await connection.close()
})

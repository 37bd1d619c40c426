/** A server and a connection to it for every test of a file, and events of two containers. */
import type {NatsConnection} from 'nats'
import {afterEach, beforeEach} from 'vitest'
import {toCloudEvent} from '../../../machines/ledger/cloud-event.ts'
import type {LedgerEvent} from '../../../machines/ledger/events.ts'
import {type ContainerAddress, parseSource} from '../../../machines/ledger/ids.ts'
import {encodeJson} from '../../../src/messaging/codec.ts'
import {createSubjects} from '../../../src/messaging/subjects.ts'
import {type NatsServer, startNatsServer} from '../../support/nats-server.ts'
import {numberedEvents} from '../../support/numbered-events.ts'

export const subjects = createSubjects()
export const web: ContainerAddress = {node: 'n1', namespace: 'default', id: 'web'}
const db: ContainerAddress = {node: 'n1', namespace: 'other', id: 'db'}
export const ofWeb = numberedEvents({address: web, uid: 'u1', count: 4})
export const ofDb = numberedEvents({address: db, uid: 'u2', count: 2})

export let server: NatsServer
export let connection: NatsConnection

beforeEach(async () => {
  server = await startNatsServer()
  await reconnect()
})

afterEach(async () => {
  await connection.close()
  await server[Symbol.asyncDispose]()
})

export async function reconnect(): Promise<void> {
  connection = await server.connect()
}

export async function publish(...events: readonly LedgerEvent[]): Promise<void> {
  for (const event of events) {
    const address = parseSource(event.source)
    if (!address) throw new Error(`no address: ${event.source}`)
    await connection.jetstream().publish(subjects.event(address, event.type), encodeJson(toCloudEvent(event)))
  }
}

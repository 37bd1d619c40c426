/**
 * Containers that are nothing but their events, published into the stream of a node as another node's supervisors would: as
 * many as a page is to be looked at with, without as many processes.
 */
import {toCloudEvent, toEventId} from '../../machines/ledger/cloud-event.ts'
import {createRequestSchema} from '../../machines/schemas/create-request.ts'
import type {EventData, EventType, LedgerEvent} from '../../machines/ledger/events.ts'
import {type ContainerAddress, toSource} from '../../machines/ledger/ids.ts'
import {connectTally} from '../../src/client/index.ts'
import type {TallyNode} from './tally-node.ts'

type Draft = {readonly [T in EventType]: {readonly type: T; readonly data: EventData<T>}}[EventType]

export interface Fleet extends AsyncDisposable {
  /** Pauses or resumes the next one: two events, a wish and its outcome. */
  change(): Promise<void>
}

const process = {pid: 4711, startTimeTicks: 1, bootId: 'e4b1'}

/**
 * Resolves when all of them run.
 * @param node whose they are; `host` knows them by the stream alone
 */
export async function launchFleet(host: TallyNode, count: number, node = 'elsewhere'): Promise<Fleet> {
  const client = await connectTally({runDir: host.runDir})
  const stream = client.connection.jetstream()
  const members = Array.from({length: count}, (_, index) => ({
    address: {node, namespace: 'default', id: `ship-${String(index + 1).padStart(3, '0')}`},
    sequence: 0,
    isPaused: false,
  }))
  let next = 0
  await Promise.all(members.map(launch))
  return {
    change: async () => {
      const member = members[next++ % count]
      if (!member) return
      await publish(member, {type: member.isPaused ? 'container.resume-requested' : 'container.pause-requested', data: {}})
      await publish(member, {type: member.isPaused ? 'container.resumed' : 'container.paused', data: {}})
      member.isPaused = !member.isPaused
    },
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  }

  async function launch(member: Member): Promise<void> {
    const {id} = member.address
    const args = ['serve', '--name', id, '--listen', '0.0.0.0:8080']
    const request = createRequestSchema.parse({id, rootfs: '/srv/rootfs', args})
    await publish(member, {type: 'container.create-requested', data: {request}})
    await publish(member, {type: 'container.created', data: {init: process, bundle: '/srv/bundle', args, cgroups: []}})
    await publish(member, {type: 'container.start-requested', data: {}})
    await publish(member, {type: 'container.started', data: {}})
  }

  async function publish(member: Member, draft: Draft): Promise<void> {
    const uid = `uid-${member.address.id}`
    const sequence = ++member.sequence
    const event: LedgerEvent = {
      ...draft,
      time: new Date().toISOString(),
      sequence,
      uid,
      source: toSource(member.address),
      actor: 'supervisor',
      correlationId: uid,
      causationId: undefined,
    }
    const bytes = Buffer.from(JSON.stringify(toCloudEvent(event)))
    await stream.publish(client.subjects.event(member.address, event.type), bytes, {msgID: toEventId(event)})
  }
}

interface Member {
  readonly address: ContainerAddress
  sequence: number
  isPaused: boolean
}

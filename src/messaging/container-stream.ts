/** What the stream of all events has of one container, over one connection. Decides nothing: see `outbox-state.ts`. */
import {headers, type NatsConnection} from 'nats'
import {cloudEventContentType, toCloudEvent, toEventId} from '../../machines/ledger/cloud-event.ts'
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import type {ContainerAddress} from '../../machines/ledger/ids.ts'
import {toErrorBody} from '../kernel/errors.ts'
import {encodeJson} from './codec.ts'
import type {Extent} from './outbox-state.ts'
import {readEvents} from './read-events.ts'
import {
  assertPlausible,
  ensureEventStream,
  eventAt,
  isStreamMissing,
  lastEventOf,
  readStreamState,
  removeEvents,
  type StreamedEvent,
  type StreamState,
  watchStream,
} from './stream.ts'
import type {Subjects} from './subjects.ts'

export interface ContainerStream {
  isClosed(): boolean
  /** Resolves when the connection is closed. */
  closed(): Promise<unknown>
  /** Whether the stream has the first and the latest event of this extent where they were. */
  hasInPlace(extent: Extent): Promise<boolean>
  /** @returns where the stream stands, and then all that it has under the container's address */
  read(): Promise<{readonly state: StreamState; readonly events: AsyncIterable<StreamedEvent>}>
  /** Removes messages, latest first. */
  remove(wrong: readonly StreamedEvent[]): Promise<void>
  /** @returns the event's place in the stream, once it is stored */
  publish(event: LedgerEvent): Promise<number>
  /** Makes the stream when it is missing. */
  ensure(): Promise<void>
  /** Calls when somebody makes, deletes, restores or changes the stream: a hint, which may be lost. */
  watch(onChange: () => void): Disposable
}

export interface ContainerStreamOptions {
  readonly subjects: Subjects
  readonly address: ContainerAddress
  readonly uid: string
}

/** Why an operation of a container's stream has failed, as far as it matters for what is done next. */
export type StreamFailure = 'missing' | 'unreadable' | 'other'

const ackTimeoutMs = 5_000

export function toStreamFailure(error: unknown): StreamFailure {
  if (toErrorBody(error).code === 'STREAM_UNREADABLE') return 'unreadable'
  return isStreamMissing(error) ? 'missing' : 'other'
}

export function createContainerStream(connection: NatsConnection, {subjects, address, uid}: ContainerStreamOptions): ContainerStream {
  return {
    isClosed: () => connection.isClosed(),
    closed: () => connection.closed(),
    // A purge removes the beginning of a stream; an old copy lacks its end.
    hasInPlace: async ({first, latest}) => {
      const last = await lastEventOf(connection, subjects, address)
      if (last?.event.uid !== uid) return latest.sequence === 0
      if (last.event.sequence !== latest.sequence || last.streamSequence !== latest.streamSequence) return false
      return (await eventAt(connection, subjects, first.streamSequence))?.event.uid === uid
    },
    read: async () => ({
      state: await readStreamState(connection, subjects),
      events: readEvents(connection, subjects, {
        filter: address,
        follow: false,
        reader: `supervisor-${address.namespace}-${address.id}`,
      }),
    }),
    remove: (wrong) => removeEvents(connection, subjects, wrong.map(({streamSequence}) => streamSequence).toReversed()),
    publish,
    ensure: () => ensureEventStream(connection, subjects),
    watch: (onChange) => watchStream(connection, subjects, onChange),
  }

  async function publish(event: LedgerEvent): Promise<number> {
    const header = headers()
    header.set('Content-Type', cloudEventContentType)
    const subject = subjects.event(address, event.type)
    const payload = encodeJson(toCloudEvent(event))
    for (let msgID = toEventId(event); ; ) {
      const ack = await connection.jetstream().publish(subject, payload, {msgID, headers: header, timeout: ackTimeoutMs})
      assertPlausible(ack.stream, ack.seq, connection.info?.version)
      if (!ack.duplicate) return ack.seq
      const found = await eventAt(connection, subjects, ack.seq)
      if (found?.event.uid === uid && found.event.sequence === event.sequence) return ack.seq
      // The server remembers a message that was removed since. A retry has the same id, so that it too is stored once.
      msgID = `${toEventId(event)}/${ack.seq}`
    }
  }
}

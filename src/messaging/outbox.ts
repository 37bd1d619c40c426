/**
 * From the journal to the stream: a container's events, in order, each once.
 *
 * There is no cursor to lose: with every session the stream itself is asked which of this container's events it has last,
 * and publication goes on behind it. MUST hold: in order and once; achieved by one publication in flight, by
 * `Nats-Msg-Id` for one whose acknowledgement was lost, and by that question for one lost longer ago than the stream's window.
 */
import {headers, type NatsConnection} from 'nats'
import {cloudEventContentType, toCloudEvent, toEventId} from '../../machines/cloud-event.ts'
import type {LedgerEvent} from '../../machines/events.ts'
import type {ContainerAddress} from '../../machines/ids.ts'
import type {Clock} from '../kernel/clock.ts'
import type {Logger} from '../kernel/log.ts'
import {encodeJson} from './codec.ts'
import type {NatsLink} from './link.ts'
import {ensureEventStream, isStreamMissing, lastEventOf} from './stream.ts'
import type {Subjects} from './subjects.ts'

/** What the outbox needs of a journal. */
export interface EventSource {
  latestSequence(): number
  read(after?: number): Iterable<LedgerEvent>
}

export interface Outbox {
  /** There may be something new in the journal. */
  poke(): void
  /** Sequence of the latest event that the stream has confirmed. */
  readonly acknowledged: number
  /** @returns whether the stream confirmed that event in time */
  whenAcknowledged(sequence: number, timeoutMs: number): Promise<boolean>
}

export interface OutboxOptions {
  readonly source: EventSource
  readonly link: NatsLink
  readonly subjects: Subjects
  readonly address: ContainerAddress
  readonly uid: string
  readonly clock: Clock
  readonly logger: Logger
  /** Nothing of this container can be in the stream yet: its first session need not ask. */
  readonly fresh: boolean
}

const ackTimeoutMs = 5_000
const retryMs = 250

export function createOutbox({source, link, subjects, address, uid, clock, logger, fresh}: OutboxOptions): Outbox {
  let acknowledged = 0
  let isFresh = fresh
  let waiting: readonly {readonly sequence: number; readonly resolve: (done: boolean) => void}[] = []
  let wake = () => {}

  link.onSession(publishUntilClosed)

  return {
    poke: () => wake(),
    get acknowledged() {
      return acknowledged
    },
    whenAcknowledged: (sequence, timeoutMs) =>
      new Promise((resolve) => {
        if (acknowledged >= sequence) return resolve(true)
        const timer = clock.at(clock.now() + timeoutMs, () => settle(false))
        const entry = {sequence, resolve: settle}
        waiting = [...waiting, entry]
        function settle(done: boolean): void {
          timer[Symbol.dispose]()
          waiting = waiting.filter((other) => other !== entry)
          resolve(done)
        }
      }),
  }

  async function publishUntilClosed(connection: NatsConnection): Promise<void> {
    connection.closed().then(() => wake())
    while (!connection.isClosed()) {
      try {
        if (!isFresh) await askStream(connection)
        isFresh = false
        while (!connection.isClosed()) {
          await publishAll(connection)
          await somethingNew(connection)
        }
      } catch (error) {
        if (connection.isClosed()) return
        logger.warn({err: error}, 'cannot publish; asking the stream where it is')
        if (isStreamMissing(error))
          await ensureEventStream(connection, subjects).catch((cause: unknown) => logger.warn({err: cause}, 'no stream'))
        await clock.sleep(retryMs)
      }
    }
  }

  async function askStream(connection: NatsConnection): Promise<void> {
    const last = await lastEventOf(connection, subjects, address)
    advance(last?.uid === uid ? last.sequence : 0)
  }

  async function publishAll(connection: NatsConnection): Promise<void> {
    const jetstream = connection.jetstream()
    for (const event of source.read(acknowledged)) {
      const header = headers()
      header.set('Content-Type', cloudEventContentType)
      await jetstream.publish(subjects.event(address, event.type), encodeJson(toCloudEvent(event)), {
        msgID: toEventId(event),
        headers: header,
        timeout: ackTimeoutMs,
      })
      advance(event.sequence)
    }
  }

  function somethingNew(connection: NatsConnection): Promise<void> {
    return new Promise((resolve) => {
      wake = resolve
      if (connection.isClosed() || source.latestSequence() > acknowledged) resolve()
    })
  }

  function advance(sequence: number): void {
    acknowledged = sequence
    for (const entry of waiting) if (entry.sequence <= sequence) entry.resolve(true)
  }
}

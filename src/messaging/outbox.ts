/**
 * From the journal to the stream: a container's events, in order, each once.
 *
 * There is no cursor to lose: the stream itself is asked what it has, and is made to have what the journal has. MUST hold: in order
 * and once; achieved by one publication in flight, by `Nats-Msg-Id` for one whose acknowledgement was lost, and by comparing stream
 * and journal whenever the latest event is not where it was put: after a deletion, a purge, or the restoration of an old copy.
 */
import {headers, type NatsConnection} from 'nats'
import {cloudEventContentType, toCloudEvent, toEventId} from '../../machines/ledger/cloud-event.ts'
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import type {ContainerAddress} from '../../machines/ledger/ids.ts'
import type {Clock} from '../kernel/clock.ts'
import {toErrorBody} from '../kernel/errors.ts'
import type {Logger} from '../kernel/log.ts'
import {encodeJson} from './codec.ts'
import {type Comparison, compareWithJournal, nowhere, type Place} from './compare-stream.ts'
import type {NatsLink} from './link.ts'
import {readEvents} from './read-events.ts'
import {
  assertPlausible,
  ensureEventStream,
  eventAt,
  isStreamMissing,
  lastEventOf,
  readStreamState,
  removeEvents,
  watchStream,
} from './stream.ts'
import type {Subjects} from './subjects.ts'

/** What the outbox needs of a journal. */
export interface EventSource {
  latestSequence(): number
  read(after?: number): Iterable<LedgerEvent>
}

/** What the stream had lost of a container, or had wrong. */
export interface Rebuilding {
  /** Sequence of the first event that is published again. */
  readonly from: number
  /** How many that the stream had confirmed were not in it any more. */
  readonly missing: number
  /** How many were taken out of it, to be published in their places. */
  readonly removed: number
}

export interface Outbox {
  /** There may be something new in the journal. */
  poke(): void
  /** Sequence of the latest event that the stream has confirmed. */
  readonly acknowledged: number
  /** @returns whether the stream confirmed that event in time */
  whenAcknowledged(sequence: number, timeoutMs: number): Promise<boolean>
  /** Compares the whole stream with the journal now, or with the next connection; what is missing is published after that. */
  compare(): Promise<Comparison>
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
  readonly onRebuild?: (rebuilding: Rebuilding) => void
  /** How often, about, the stream is asked whether it still has the latest event, while nothing is published. */
  readonly lookMs?: number
}

const ackTimeoutMs = 5_000
const retryMs = 250
/**
 * For the coordinator, which knows what limits a stream had that is missing. Two that make it at the same moment, and not alike, leave one
 * to which nothing can be published (2.9).
 */
const othersFirstMs = 1_000
/** One that cannot be read takes people to put right. */
const unreadableMs = 5_000
const usualLookMs = 30_000
/** After something was published. */
const soonMs = 3_000
/** A stream that is deleted is missed by every supervisor at once. */
const longestHasteMs = 500

export function createOutbox(options: OutboxOptions): Outbox {
  const {source, link, subjects, address, uid, clock, logger, fresh, onRebuild, lookMs = usualLookMs} = options
  /** Where the stream has the first of the events, and the latest that it has confirmed. */
  let [first, latest] = [nowhere, nowhere]
  /** It has to be found out what the stream has. */
  let isDoubtful = !fresh
  /** A nats-server that is killed may have what was taken out of its stream again (2.9). */
  let hasRemoved = false
  let lookAt = fresh ? clock.elapsed() + lookMs : 0
  let waiting: readonly {readonly sequence: number; readonly resolve: (done: boolean) => void}[] = []
  let comparing: readonly ((comparison: Comparison) => void)[] = []
  let wake = () => {}

  link.onSession(publishUntilClosed)

  return {
    poke: () => wake(),
    get acknowledged() {
      return latest.sequence
    },
    whenAcknowledged: (sequence, timeoutMs) =>
      new Promise((resolve) => {
        if (latest.sequence >= sequence) return resolve(true)
        const timer = clock.at(clock.elapsed() + timeoutMs, () => settle(false))
        const entry = {sequence, resolve: settle}
        waiting = [...waiting, entry]
        function settle(done: boolean): void {
          timer[Symbol.dispose]()
          waiting = waiting.filter((other) => other !== entry)
          resolve(done)
        }
      }),
    compare: () =>
      new Promise((resolve) => {
        comparing = [...comparing, resolve]
        doubt()
      }),
  }

  async function publishUntilClosed(connection: NatsConnection): Promise<void> {
    connection.closed().then(() => wake())
    using _watch = watchStream(connection, subjects, () => {
      lookAt = Math.min(lookAt, clock.elapsed() + Math.random() * longestHasteMs)
      wake()
    })
    // Whatever happened to the stream while there was no connection.
    if (latest.sequence > 0) lookAt = 0
    if (hasRemoved) doubt()
    while (!connection.isClosed()) {
      try {
        if (clock.elapsed() >= lookAt) await look(connection)
        await publishAll(connection)
        await somethingToDo(connection)
      } catch (error) {
        if (connection.isClosed()) return
        if (toErrorBody(error).code === 'STREAM_UNREADABLE') await clock.sleep(unreadableMs)
        logger.warn({err: error}, 'cannot publish; asking the stream where it is')
        if (isStreamMissing(error)) {
          await clock.sleep(othersFirstMs * (1 + Math.random()))
          await ensureEventStream(connection, subjects).catch((cause: unknown) => logger.warn({err: cause}, 'no stream'))
        }
        doubt()
        await clock.sleep(retryMs)
      }
    }
  }

  /** The next thing is to compare all of the stream with the journal. */
  function doubt(): void {
    isDoubtful = true
    lookAt = 0
    wake()
  }

  /** Whether the stream has the first and the latest event where they were put; if not, anything may be missing. */
  async function look(connection: NatsConnection): Promise<void> {
    if (isDoubtful || !(await isInPlace(connection))) await compareAll(connection)
    lookAt = clock.elapsed() + lookMs * (0.5 + Math.random())
  }

  /** A purge takes away the beginning of a stream, an old copy has not got its end. */
  async function isInPlace(connection: NatsConnection): Promise<boolean> {
    const last = await lastEventOf(connection, subjects, address)
    if (last?.event.uid !== uid) return latest.sequence === 0
    if (last.event.sequence !== latest.sequence || last.streamSequence !== latest.streamSequence) return false
    return (await eventAt(connection, subjects, first.streamSequence))?.event.uid === uid
  }

  async function compareAll(connection: NatsConnection): Promise<void> {
    const {isLimited, lastSequence, droppedBeforeMs} = await readStreamState(connection, subjects)
    const streamed = readEvents(connection, subjects, {
      filter: address,
      follow: false,
      reader: `supervisor-${address.namespace}-${address.id}`,
    })
    const comparison = await compareWithJournal(streamed, source.read, {uid, isLimited})
    const {kept, wrong} = comparison
    // All of it is older than the stream keeps: to publish it again would drop what others have in it.
    const isDropped = isLimited && kept === nowhere && latest.sequence > 0 && lastSequence >= latest.streamSequence
    const misplaced = new Set(
      wrong.map(({event}) => event.sequence).filter((sequence) => sequence > kept.sequence && sequence <= latest.sequence),
    )
    const missing = isDropped ? 0 : Math.max(0, latest.sequence - kept.sequence - misplaced.size)
    if (wrong.length > 0) {
      // They are nowhere else then.
      logger.error({removed: wrong.map(({event}) => toCloudEvent(event))}, 'taking out of the stream what does not follow the journal')
      await removeEvents(connection, subjects, wrong.map((one) => one.streamSequence).toReversed())
      hasRemoved = true
    }
    // Nobody knows any more how far it was published, when none of it is left: what is older than the stream keeps is not put in anew.
    const isForgotten = isLimited && kept === nowhere && wrong.length === 0 && latest.sequence === 0
    if (isForgotten) confirm(nowhere, {sequence: findAged(source, droppedBeforeMs), streamSequence: 0})
    else if (!isDropped) confirm(comparison.first, kept)
    isDoubtful = false
    for (const resolve of comparing) resolve(comparison)
    comparing = []
    if (missing === 0 && wrong.length === 0) return
    const rebuilding = {from: kept.sequence + 1, missing, removed: wrong.length}
    logger.warn(rebuilding, 'the stream is not what was published to it: publishing again')
    onRebuild?.(rebuilding)
  }

  async function publishAll(connection: NatsConnection): Promise<void> {
    for (const event of source.read(latest.sequence)) {
      const streamSequence = await publish(connection, event)
      // Below the one before it, in another stream: it has come before what is missing.
      if (isDoubtful || streamSequence <= latest.streamSequence) return doubt()
      const published = {sequence: event.sequence, streamSequence}
      confirm(first === nowhere ? published : first, published)
      // Above it, in a stream that was purged meanwhile.
      lookAt = Math.min(lookAt, clock.elapsed() + soonMs * (0.5 + Math.random()))
    }
  }

  /** @returns its place in the stream */
  async function publish(connection: NatsConnection, event: LedgerEvent): Promise<number> {
    const header = headers()
    header.set('Content-Type', cloudEventContentType)
    for (let msgID = toEventId(event); ; ) {
      const subject = subjects.event(address, event.type)
      const ack = await connection
        .jetstream()
        .publish(subject, encodeJson(toCloudEvent(event)), {msgID, headers: header, timeout: ackTimeoutMs})
      assertPlausible(ack.stream, ack.seq, connection.info?.version)
      if (!ack.duplicate) return ack.seq
      const found = await eventAt(connection, subjects, ack.seq)
      if (found?.event.uid === uid && found.event.sequence === event.sequence) return ack.seq
      // The server remembers a message that it has no more. The same name again for the same loss, so that this too is sent but once.
      msgID = `${toEventId(event)}/${ack.seq}`
    }
  }

  /** An event to publish, or time to look. */
  async function somethingToDo(connection: NatsConnection): Promise<void> {
    const {promise, resolve} = Promise.withResolvers<void>()
    wake = resolve
    if (connection.isClosed() || source.latestSequence() > latest.sequence || clock.elapsed() >= lookAt) return
    using _timer = clock.at(lookAt, resolve)
    await promise
  }

  function confirm(one: Place, last: Place): void {
    first = one
    latest = last
    for (const entry of waiting) if (entry.sequence <= latest.sequence) entry.resolve(true)
  }
}

/** Sequence of the last event that is older; never the very last: where a container stands the stream has from it. */
function findAged(source: EventSource, beforeMs: number): number {
  let aged = 0
  for (const {sequence, time} of source.read()) {
    if (Date.parse(time) >= beforeMs || sequence >= source.latestSequence()) break
    aged = sequence
  }
  return aged
}

/** The stream of all events: making and querying it. See `read-events.ts` for reading it. Nothing here needs more than nats-server 2.9. */
import {
  ErrorCode,
  type JsMsg,
  type JetStreamManager,
  type MsgRequest,
  type NatsConnection,
  millis,
  NatsError,
  nanos,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from 'nats'
import {parseLedgerEvent} from '../../machines/ledger/cloud-event.ts'
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import type {ContainerAddress} from '../../machines/ledger/ids.ts'
import {TallyError} from '../kernel/errors.ts'
import {defaultPrefix, type Subjects} from './subjects.ts'

export const duplicateWindowMs = 120_000

export function toStreamName({prefix}: Pick<Subjects, 'prefix'>): string {
  return prefix === defaultPrefix ? 'TALLY_EVENTS' : `${prefix.toUpperCase().replaceAll('.', '_')}_EVENTS`
}

/**
 * Makes the stream if it is missing. Idempotent.
 * @param made further configuration, if it is made now
 * @throws TallyError JETSTREAM_UNAVAILABLE, STREAM_UNREADABLE
 */
export async function ensureEventStream(connection: NatsConnection, subjects: Subjects, made: Partial<StreamConfig> = {}): Promise<void> {
  const name = toStreamName(subjects)
  const wanted = `${subjects.prefix}.evt.>`
  try {
    const manager = await connection.jetstreamManager()
    const info = await findStream(manager, name)
    const found = info?.config
    if (info) assertPlausible(name, info.state.last_seq, connection.info?.version)
    if (!found) {
      await manager.streams.add({
        name,
        description,
        subjects: [wanted],
        storage: StorageType.File,
        retention: RetentionPolicy.Limits,
        duplicate_window: nanos(duplicateWindowMs),
        allow_direct: true,
        ...made,
      })
    } else if (!found.subjects.includes(wanted)) {
      throw new TallyError('JETSTREAM_UNAVAILABLE', `expected stream ${name} to hold ${wanted}, got ${found.subjects.join(', ')}`)
    } else if (!found.description) {
      // Made by an older release. An account that may not change it can use it nevertheless.
      await manager.streams.update(name, {...found, description}).catch(() => {})
    }
  } catch (cause) {
    if (cause instanceof TallyError) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new TallyError('JETSTREAM_UNAVAILABLE', `cannot have stream ${name}: ${why}`, {cause})
  }
}

/** For people who find it with the `nats` tool. */
const description = "Tallyman: every event of every container, as the containers' journals have them"

/** The newest event in the stream with this address, of whichever container; undefined when there is none. */
export async function lastEventOf(
  connection: NatsConnection,
  subjects: Subjects,
  address: ContainerAddress,
): Promise<StreamedEvent | undefined> {
  return await findEvent(connection, subjects, {last_by_subj: subjects.events(address)})
}

/** The event in a place of the stream; undefined when it was removed, or nothing is there yet. */
export async function eventAt(connection: NatsConnection, subjects: Subjects, streamSequence: number): Promise<StreamedEvent | undefined> {
  return await findEvent(connection, subjects, {seq: streamSequence})
}

async function findEvent(connection: NatsConnection, subjects: Subjects, query: MsgRequest): Promise<StreamedEvent | undefined> {
  const manager = await connection.jetstreamManager({checkAPI: false})
  try {
    const message = await manager.streams.getMessage(toStreamName(subjects), query)
    return {event: parseLedgerEvent(message.string()), streamSequence: message.seq, storedAtMs: message.time.getTime()}
  } catch (error) {
    if (error instanceof NatsError && error.api_error?.code === 404 && error.api_error.err_code !== streamNotFound) return undefined
    throw error
  }
}

/** Removes messages from the stream; one that is missing already is no error. */
export async function removeEvents(connection: NatsConnection, subjects: Subjects, streamSequences: readonly number[]): Promise<void> {
  const manager = await connection.jetstreamManager({checkAPI: false})
  for (const sequence of streamSequences) {
    try {
      await manager.streams.deleteMessage(toStreamName(subjects), sequence, false)
    } catch (error) {
      if (await eventAt(connection, subjects, sequence)) throw error
    }
  }
}

/**
 * Calls when somebody makes, deletes, restores or changes the stream (JetStream's advisories). An advisory may be lost: a caller that must
 * not miss a change checks the stream as well.
 */
export function watchStream(connection: NatsConnection, subjects: Subjects, onChange: () => void): Disposable {
  const subscription = connection.subscribe(`$JS.EVENT.ADVISORY.STREAM.*.${toStreamName(subjects)}`, {callback: onChange})
  return {[Symbol.dispose]: () => void (connection.isClosed() || subscription.unsubscribe())}
}

export interface StreamedEvent {
  readonly event: LedgerEvent
  /** Its place in the stream, from 1. */
  readonly streamSequence: number
  /** When the server stored it, by its clock, in epoch milliseconds. */
  readonly storedAtMs: number
}

export function toStreamedEvent(message: JsMsg): StreamedEvent {
  const {timestampNanos} = message.info
  return {event: parseLedgerEvent(message.string()), streamSequence: message.seq, storedAtMs: timestampNanos / 1e6}
}

/**
 * Whether the message that was stored then is still in its place. Then so is everything before it, since a stream grows at its end only. The
 * same event in the same place is not enough: in a stream that was made again, other events may come before it.
 */
export async function isStillThere(
  connection: NatsConnection,
  subjects: Subjects,
  {streamSequence, storedAtMs}: Pick<StreamedEvent, 'streamSequence' | 'storedAtMs'>,
): Promise<boolean> {
  const there = await eventAt(connection, subjects, streamSequence)
  return there !== undefined && Math.abs(there.storedAtMs - storedAtMs) <= storedAtToleranceMs
}

/** One of the two times is rounded to milliseconds. */
const storedAtToleranceMs = 1

export interface StreamState {
  /** When it was made, which tells it from another stream of the same name. */
  readonly created: string
  /** Of the last message that it has or had. */
  readonly lastSequence: number
  /** Whether it has limits, and drops old events. */
  readonly isLimited: boolean
  /** Events stored before this time, in epoch milliseconds, are dropped; 0 when all are kept. */
  readonly droppedBeforeMs: number
}

/** @throws TallyError STREAM_UNREADABLE */
export async function readStreamState(connection: NatsConnection, subjects: Subjects): Promise<StreamState> {
  const {created, config, state} = await readStreamInfo(connection, subjects)
  const isLimited = config.max_age > 0 || [config.max_msgs, config.max_bytes, config.max_msgs_per_subject].some((limit) => limit > 0)
  const dropped = state.first_seq > 1 && state.messages > 0 ? Date.parse(state.first_ts) : 0
  const aged = config.max_age > 0 ? Date.now() - millis(config.max_age) : 0
  return {created, lastSequence: state.last_seq, isLimited, droppedBeforeMs: isLimited ? Math.max(dropped, aged) : 0}
}

/** @throws TallyError STREAM_UNREADABLE; NatsError */
export async function readStreamInfo(connection: NatsConnection, subjects: Subjects): Promise<StreamInfo> {
  const manager = await connection.jetstreamManager({checkAPI: false})
  const info = await manager.streams.info(toStreamName(subjects))
  assertPlausible(info.config.name, info.state.last_seq, connection.info?.version)
  return info
}

/** Where the stream ends now; 0 when it is empty. @throws TallyError STREAM_UNREADABLE */
export async function lastStreamSequence(connection: NatsConnection, subjects: Subjects): Promise<number> {
  return (await readStreamState(connection, subjects)).lastSequence
}

/**
 * nats-server 2.10 and newer record the deletion of a message within the stream in a way that 2.9 reads as a message with a sequence above
 * 2^62. What 2.9 stores then comes after that sequence, and the newer server loses it.
 */
export function assertPlausible(stream: string, sequence: number, serverVersion = 'of an unknown version'): void {
  if (Number.isSafeInteger(sequence)) return
  throw new TallyError(
    'STREAM_UNREADABLE',
    `nats-server ${serverVersion} misreads the store of stream ${stream}, which a newer one has written (it says that the last message is number ${sequence}): start the newer one again`,
    {details: {stream, serverVersion}},
  )
}

/** JetStream's own number for a missing stream (server/errors.json). */
const streamNotFound = 10059

export function isStreamMissing(error: unknown): boolean {
  if (!(error instanceof NatsError)) return false
  return error.api_error?.err_code === streamNotFound || error.code === ErrorCode.NoResponders
}

async function findStream(manager: JetStreamManager, name: string): Promise<StreamInfo | undefined> {
  try {
    return await manager.streams.info(name)
  } catch (error) {
    if (error instanceof NatsError && error.api_error?.err_code === streamNotFound) return undefined
    throw error
  }
}

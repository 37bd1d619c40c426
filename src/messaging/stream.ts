/** The stream of all events: making it, asking it, reading it. Nothing here needs more than nats-server 2.9. */
import {
  AckPolicy,
  DeliverPolicy,
  ErrorCode,
  type JsMsg,
  type JetStreamManager,
  type MsgRequest,
  type NatsConnection,
  NatsError,
  nanos,
  RetentionPolicy,
  StorageType,
} from 'nats'
import {parseLedgerEvent} from '../../machines/cloud-event.ts'
import type {LedgerEvent} from '../../machines/events.ts'
import type {ContainerAddress} from '../../machines/ids.ts'
import {TallyError} from '../kernel/errors.ts'
import {defaultPrefix, type EventFilter, type Subjects} from './subjects.ts'

export const duplicateWindowMs = 120_000

export function toStreamName({prefix}: Pick<Subjects, 'prefix'>): string {
  return prefix === defaultPrefix ? 'TALLY_EVENTS' : `${prefix.toUpperCase().replaceAll('.', '_')}_EVENTS`
}

/** Makes the stream if it is missing. Idempotent. @throws TallyError JETSTREAM_UNAVAILABLE */
export async function ensureEventStream(connection: NatsConnection, subjects: Subjects): Promise<void> {
  const name = toStreamName(subjects)
  const wanted = `${subjects.prefix}.evt.>`
  try {
    const manager = await connection.jetstreamManager()
    const found = await findStream(manager, name)
    if (!found) {
      await manager.streams.add({
        name,
        subjects: [wanted],
        storage: StorageType.File,
        retention: RetentionPolicy.Limits,
        duplicate_window: nanos(duplicateWindowMs),
        allow_direct: true,
      })
    } else if (!found.includes(wanted)) {
      throw new TallyError('JETSTREAM_UNAVAILABLE', `expected stream ${name} to hold ${wanted}, got ${found.join(', ')}`)
    }
  } catch (cause) {
    if (cause instanceof TallyError) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new TallyError('JETSTREAM_UNAVAILABLE', `cannot have stream ${name}: ${why}`, {cause})
  }
}

/** The newest event that the stream has of whatever container has this address; undefined when it has none. */
export async function lastEventOf(
  connection: NatsConnection,
  subjects: Subjects,
  address: ContainerAddress,
): Promise<StreamedEvent | undefined> {
  return await findEvent(connection, subjects, {last_by_subj: subjects.events(address)})
}

/** What the stream has at a place; undefined when nothing is there any more, or not yet. */
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

/** Takes messages out of the stream; one that is not there any more is no error. */
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
 * Calls when somebody makes, deletes, restores or changes the stream (JetStream's advisories). A hint, not a promise: who must not miss
 * it asks the stream as well.
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
 * Whether the message that was stored then is still in its place. Then so is all before it, since a stream grows at its end only. The same event
 * in the same place would not be enough: in a stream that was made again others may have come before it.
 */
export async function isStillThere(
  connection: NatsConnection,
  subjects: Subjects,
  {streamSequence, storedAtMs}: Pick<StreamedEvent, 'streamSequence' | 'storedAtMs'>,
): Promise<boolean> {
  const there = await eventAt(connection, subjects, streamSequence)
  return there !== undefined && Math.abs(there.storedAtMs - storedAtMs) <= storedAtToleranceMs
}

/** One of the two has whole milliseconds. */
const storedAtToleranceMs = 1

export interface ReadOptions {
  readonly filter?: EventFilter
  /** The first to be read; all of the stream when absent. */
  readonly from?: {readonly streamSequence: number} | {readonly time: Date}
  /** Go on with what comes; otherwise end where the stream ends now. */
  readonly follow: boolean
  readonly signal?: AbortSignal
  /** Asked when the reading is bound to the stream that there is now; nothing is read when it is not the one that `from` is of. */
  readonly isRight?: () => Promise<boolean>
}

/**
 * Events in the order of the stream. Ends, without an error, when the connection does, and when the stream is deleted: read on from the last
 * sequence, or with `createEventReader`, which notices that it is another stream.
 */
export async function* readEvents(
  connection: NatsConnection,
  subjects: Subjects,
  {filter, from, follow, signal, isRight}: ReadOptions,
): AsyncGenerator<StreamedEvent> {
  const manager = await connection.jetstreamManager({checkAPI: false})
  const stream = toStreamName(subjects)
  const {state} = await manager.streams.info(stream)
  const consumer = await manager.consumers.add(stream, {
    ack_policy: AckPolicy.None,
    filter_subject: subjects.events(filter),
    inactive_threshold: nanos(60_000),
    mem_storage: true,
    num_replicas: 1,
    ...toStart(from),
  })
  if (isRight && !(await isRight())) return void (await manager.consumers.delete(stream, consumer.name).catch(() => false))
  if (!follow && consumer.num_pending === 0) return
  const pull = await connection.jetstream().consumers.get(stream, consumer.name)
  const messages = await pull.consume({max_messages: 500, abort_on_missing_resource: true})
  const stop = () => void messages.close()
  signal?.addEventListener('abort', stop)
  connection.closed().then(stop, stop)
  try {
    if (signal?.aborted) return
    for await (const message of messages) {
      yield toStreamedEvent(message)
      if (!follow && (message.seq >= state.last_seq || message.info.pending === 0)) return
    }
  } catch (error) {
    if (!isResourceGone(error)) throw error
  } finally {
    signal?.removeEventListener('abort', stop)
    // Not awaited: the end would pass through the iterator, which nobody reads any more.
    stop()
    if (!connection.isClosed()) await manager.consumers.delete(stream, consumer.name).catch(() => false)
  }
}

export interface StreamState {
  /** Of the last message that it has or had. */
  readonly lastSequence: number
  /** It was given limits by somebody: it drops what is old. */
  readonly isLimited: boolean
}

export async function readStreamState(connection: NatsConnection, subjects: Subjects): Promise<StreamState> {
  const manager = await connection.jetstreamManager({checkAPI: false})
  const {config, state} = await manager.streams.info(toStreamName(subjects))
  const isLimited = config.max_age > 0 || [config.max_msgs, config.max_bytes, config.max_msgs_per_subject].some((limit) => limit > 0)
  return {lastSequence: state.last_seq, isLimited}
}

/** Where the stream ends now; 0 when it is empty. */
export async function lastStreamSequence(connection: NatsConnection, subjects: Subjects): Promise<number> {
  const manager = await connection.jetstreamManager({checkAPI: false})
  return (await manager.streams.info(toStreamName(subjects))).state.last_seq
}

/** The consumer, and with it as a rule the stream, was deleted while it was read. */
function isResourceGone(error: unknown): boolean {
  return error instanceof NatsError && (isStreamMissing(error) || error.code === '404' || error.code === '409')
}

/** JetStream's own number for a missing stream (server/errors.json). */
const streamNotFound = 10059

export function isStreamMissing(error: unknown): boolean {
  if (!(error instanceof NatsError)) return false
  return error.api_error?.err_code === streamNotFound || error.code === ErrorCode.NoResponders
}

async function findStream(manager: JetStreamManager, name: string): Promise<readonly string[] | undefined> {
  try {
    return (await manager.streams.info(name)).config.subjects
  } catch (error) {
    if (error instanceof NatsError && error.api_error?.err_code === streamNotFound) return undefined
    throw error
  }
}

function toStart(from: ReadOptions['from']) {
  if (!from) return {deliver_policy: DeliverPolicy.All}
  if ('time' in from) return {deliver_policy: DeliverPolicy.StartTime, opt_start_time: from.time.toISOString()}
  return {deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: from.streamSequence}
}

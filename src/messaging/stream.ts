/** The stream of all events: making it, asking it, reading it. Nothing here needs more than nats-server 2.9. */
import {
  AckPolicy,
  DeliverPolicy,
  ErrorCode,
  type JetStreamManager,
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
): Promise<LedgerEvent | undefined> {
  const manager = await connection.jetstreamManager({checkAPI: false})
  try {
    const message = await manager.streams.getMessage(toStreamName(subjects), {last_by_subj: subjects.events(address)})
    return parseLedgerEvent(message.string())
  } catch (error) {
    if (error instanceof NatsError && error.api_error?.code === 404 && error.api_error.err_code !== streamNotFound) return undefined
    throw error
  }
}

export interface StreamedEvent {
  readonly event: LedgerEvent
  /** Its place in the stream, from 1. */
  readonly streamSequence: number
}

export interface ReadOptions {
  readonly filter?: EventFilter
  /** The first to be read; all of the stream when absent. */
  readonly from?: {readonly streamSequence: number} | {readonly time: Date}
  /** Go on with what comes; otherwise end where the stream ends now. */
  readonly follow: boolean
  readonly signal?: AbortSignal
}

/** Events in the order of the stream. Ends, without an error, when the connection does: read on from the last sequence. */
export async function* readEvents(
  connection: NatsConnection,
  subjects: Subjects,
  {filter, from, follow, signal}: ReadOptions,
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
  if (!follow && consumer.num_pending === 0) return
  const pull = await connection.jetstream().consumers.get(stream, consumer.name)
  const messages = await pull.consume({max_messages: 500})
  const stop = () => void messages.close()
  signal?.addEventListener('abort', stop)
  connection.closed().then(stop, stop)
  try {
    if (signal?.aborted) return
    for await (const message of messages) {
      yield {event: parseLedgerEvent(message.string()), streamSequence: message.seq}
      if (!follow && (message.seq >= state.last_seq || message.info.pending === 0)) return
    }
  } finally {
    signal?.removeEventListener('abort', stop)
    // Not awaited: the end would pass through the iterator, which nobody reads any more.
    stop()
    if (!connection.isClosed()) await manager.consumers.delete(stream, consumer.name).catch(() => false)
  }
}

/** Where the stream ends now; 0 when it is empty. */
export async function lastStreamSequence(connection: NatsConnection, subjects: Subjects): Promise<number> {
  const manager = await connection.jetstreamManager({checkAPI: false})
  return (await manager.streams.info(toStreamName(subjects))).state.last_seq
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

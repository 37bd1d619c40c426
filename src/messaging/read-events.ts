/** Events in the order of the stream. Needs nothing more than nats-server 2.9. */
import {setTimeout as sleep} from 'node:timers/promises'
import {AckPolicy, DeliverPolicy, type JetStreamManager, type JsMsg, type NatsConnection, NatsError, nanos, nuid} from 'nats'
import {TallyError} from '../kernel/errors.ts'
import {isStreamMissing, readStreamState, type StreamedEvent, toStreamedEvent, toStreamName} from './stream.ts'
import type {EventFilter, Subjects} from './subjects.ts'

export interface ReadOptions {
  readonly filter?: EventFilter
  /** Where reading begins; at the beginning of the stream when absent. */
  readonly from?: {readonly streamSequence: number} | {readonly time: Date}
  /** Continue with new events; otherwise end where the stream ends now. */
  readonly follow: boolean
  readonly signal?: AbortSignal
  /** Called once the consumer exists on the present stream. When that is not the stream that `from` belongs to, nothing is read. */
  readonly isRight?: () => Promise<boolean>
  /** Part of the consumer's name, which the `nats` tool shows. */
  readonly reader?: string
  /** How long the server may send nothing while it has more events. */
  readonly stallMs?: number
}

const usualStallMs = 10_000

/**
 * Events in the order of the stream. When following, it ends without an error when the connection is lost or the stream is deleted: read on
 * from the last sequence, or with `createEventReader`, which notices another stream.
 * @throws TallyError STREAM_UNREADABLE when the server has more and sends nothing; NATS_UNREACHABLE when the end was not reached
 */
export async function* readEvents(
  connection: NatsConnection,
  subjects: Subjects,
  {filter, from, follow, signal, isRight, reader = 'reader', stallMs = usualStallMs}: ReadOptions,
): AsyncGenerator<StreamedEvent> {
  const manager = await connection.jetstreamManager({checkAPI: false})
  const stream = toStreamName(subjects)
  const {lastSequence} = await readStreamState(connection, subjects)
  const consumer = await manager.consumers.add(stream, {
    // Unique: a second consumer of the same name would be the first.
    name: toConsumerName(reader),
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
  let last: JsMsg | undefined
  const watch = createStallWatch({
    stallMs,
    endsWhenDone: !follow,
    countMissing: () => countMissing(manager, {stream, consumer: consumer.name, received: last?.info.deliverySequence ?? 0}),
    stop,
  })
  signal?.addEventListener('abort', stop)
  connection.closed().then(stop, stop)
  try {
    if (signal?.aborted) return
    for await (const message of messages) {
      last = message
      watch.pause()
      yield toStreamedEvent(message)
      if (!follow && isEnd(message, lastSequence)) return
      watch.resume()
    }
    if (signal?.aborted || watch.missing === 0) return
    if (watch.missing !== undefined) throw toStallError({stream, stallMs, last, missing: watch.missing})
    if (!follow) throw toLostError(stream)
  } catch (error) {
    // A lost connection ends the iterator or makes it fail, depending on the moment.
    if (error instanceof NatsError && connection.isClosed()) {
      if (follow) return
      throw toLostError(stream, error)
    }
    // Without `follow` the end was not reached.
    if (!follow || !isResourceGone(error)) throw error
  } finally {
    watch[Symbol.dispose]()
    signal?.removeEventListener('abort', stop)
    // Not awaited: it would wait for the iterator, which is not read any more.
    stop()
    if (!connection.isClosed()) await manager.consumers.delete(stream, consumer.name).catch(() => false)
  }
}

/** @param reader in which characters that a consumer's name may not have are replaced */
export function toConsumerName(reader: string): string {
  return `tally-${reader.replace(/[^\w-]+/g, '-')}-${nuid.next().slice(-8)}`
}

function isEnd({seq, info}: JsMsg, lastSequence: number): boolean {
  return seq >= lastSequence || info.pending === 0
}

interface StallWatch extends Disposable {
  /** An event is being processed: silence is not the server's fault. */
  pause(): void
  resume(): void
  /** How many events did not come; undefined unless the reading was stopped for that. */
  readonly missing: number | undefined
}

interface StallWatchOptions {
  readonly stallMs: number
  /** Also stops when nothing comes because everything was read. */
  readonly endsWhenDone: boolean
  /** How many events are still to come; undefined when that cannot be found out. */
  readonly countMissing: () => Promise<number | undefined>
  readonly stop: () => void
}

/** Stops a reading when the server sends nothing although it has more events, which it is asked twice, with a pause. */
function createStallWatch({stallMs, endsWhenDone, countMissing, stop}: StallWatchOptions): StallWatch {
  let silentSince: number | undefined = performance.now()
  let missing: number | undefined
  let looking = false
  const timer = setInterval(() => void look(), stallMs / 4)
  return {
    pause: () => {
      silentSince = undefined
    },
    resume: () => {
      silentSince = performance.now()
    },
    get missing() {
      return missing
    },
    [Symbol.dispose]: () => clearInterval(timer),
  }

  async function look(): Promise<void> {
    const since = silentSince
    if (looking || since === undefined || performance.now() - since < stallMs) return
    looking = true
    const first = await countMissing()
    const second = first === 0 ? 0 : await countMissingLater(stallMs / 4)
    looking = false
    if (silentSince !== since || first === undefined || second === undefined) return
    if (first > 0 && second > 0) missing = second
    else if (endsWhenDone) missing = 0
    else silentSince = performance.now()
    if (missing !== undefined) stop()
  }

  async function countMissingLater(ms: number): Promise<number | undefined> {
    await sleep(ms)
    return await countMissing()
  }
}

/** Events that were not sent yet, or sent and not received. */
async function countMissing(
  manager: JetStreamManager,
  {stream, consumer, received}: {readonly stream: string; readonly consumer: string; readonly received: number},
): Promise<number | undefined> {
  try {
    const {num_pending, delivered} = await manager.consumers.info(stream, consumer)
    return num_pending + Math.max(0, delivered.consumer_seq - received)
  } catch {
    // The connection or the consumer is gone, which the reading itself notices.
    return undefined
  }
}

interface Stall {
  readonly stream: string
  readonly stallMs: number
  readonly last: JsMsg | undefined
  readonly missing: number
}

function toStallError({stream, stallMs, last, missing}: Stall): TallyError {
  const where = last ? `behind event ${last.seq}` : 'from its beginning on'
  return new TallyError(
    'STREAM_UNREADABLE',
    `stream ${stream} cannot be read ${where}: the server has ${missing} more and has sent none for ${stallMs / 1000} s`,
    {details: {stream, behind: last?.seq ?? 0, missing}},
  )
}

function toLostError(stream: string, cause?: unknown): TallyError {
  return new TallyError('NATS_UNREACHABLE', `the connection to NATS was lost before the end of stream ${stream} was read`, {cause})
}

/** The consumer was deleted while it was read, usually together with the stream. */
function isResourceGone(error: unknown): boolean {
  return error instanceof NatsError && (isStreamMissing(error) || error.code === '404' || error.code === '409')
}

function toStart(from: ReadOptions['from']) {
  if (!from) return {deliver_policy: DeliverPolicy.All}
  if ('time' in from) return {deliver_policy: DeliverPolicy.StartTime, opt_start_time: from.time.toISOString()}
  return {deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: from.streamSequence}
}

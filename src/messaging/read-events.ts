/** Events in the order of the stream. Needs nothing more than nats-server 2.9. */
import {setTimeout as sleep} from 'node:timers/promises'
import {AckPolicy, DeliverPolicy, type JetStreamManager, type JsMsg, type NatsConnection, NatsError, nanos, nuid} from 'nats'
import {TallyError} from '../kernel/errors.ts'
import {isStreamMissing, readStreamState, type StreamedEvent, toStreamedEvent, toStreamName} from './stream.ts'
import type {EventFilter, Subjects} from './subjects.ts'

export interface ReadOptions {
  readonly filter?: EventFilter
  /** The first to be read; all of the stream when absent. */
  readonly from?: {readonly streamSequence: number} | {readonly time: Date}
  /** Go on with what comes; otherwise end where the stream ends now. */
  readonly follow: boolean
  readonly signal?: AbortSignal
  /** Asked when the reading is bound to the stream that there is now; nothing is read when it is not the one that `from` is of. */
  readonly isRight?: () => Promise<boolean>
  /** Who reads, of letters, digits, `_` and `-`: with it begins the name of the consumer, which the `nats` tool shows. */
  readonly reader?: string
  /** So long the server may be silent while it has more to send. */
  readonly stallMs?: number
}

const usualStallMs = 10_000

/**
 * Events in the order of the stream. Following, it ends without an error when the connection does, and when the stream is deleted: read on
 * from the last sequence, or with `createEventReader`, which notices that it is another stream.
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
    // It depends on the moment whether a connection that is lost ends the iterator or fails it.
    if (error instanceof NatsError && connection.isClosed()) {
      if (follow) return
      throw toLostError(stream, error)
    }
    // Who reads to an end has not got there.
    if (!follow || !isResourceGone(error)) throw error
  } finally {
    watch[Symbol.dispose]()
    signal?.removeEventListener('abort', stop)
    // Not awaited: the end would pass through the iterator, which nobody reads any more.
    stop()
    if (!connection.isClosed()) await manager.consumers.delete(stream, consumer.name).catch(() => false)
  }
}

/** As the `nats` tool shows it; dots and spaces are no part of a name. */
export function toConsumerName(reader: string): string {
  return `tally-${reader.replace(/[^\w-]+/g, '-')}-${nuid.next().slice(-8)}`
}

function isEnd({seq, info}: JsMsg, lastSequence: number): boolean {
  return seq >= lastSequence || info.pending === 0
}

interface StallWatch extends Disposable {
  /** What has come is being worked on: the silence is ours. */
  pause(): void
  resume(): void
  /** How many did not come, when it was stopped for that. */
  readonly missing: number | undefined
}

interface StallWatchOptions {
  readonly stallMs: number
  /** Stops, too, when there is silence because all has come. */
  readonly endsWhenDone: boolean
  /** How many are still to come; undefined when nobody can tell. */
  readonly countMissing: () => Promise<number | undefined>
  readonly stop: () => void
}

/** Stops a reading to which nothing comes although the server has more: it said so twice, a while apart. */
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

/** Not yet sent, or sent and not received. */
async function countMissing(
  manager: JetStreamManager,
  {stream, consumer, received}: {readonly stream: string; readonly consumer: string; readonly received: number},
): Promise<number | undefined> {
  try {
    const {num_pending, delivered} = await manager.consumers.info(stream, consumer)
    return num_pending + Math.max(0, delivered.consumer_seq - received)
  } catch {
    // The connection or the consumer is gone, of which others tell.
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

/** The consumer, and with it as a rule the stream, was deleted while it was read. */
function isResourceGone(error: unknown): boolean {
  return error instanceof NatsError && (isStreamMissing(error) || error.code === '404' || error.code === '409')
}

function toStart(from: ReadOptions['from']) {
  if (!from) return {deliver_policy: DeliverPolicy.All}
  if ('time' in from) return {deliver_policy: DeliverPolicy.StartTime, opt_start_time: from.time.toISOString()}
  return {deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: from.streamSequence}
}

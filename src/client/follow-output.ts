/**
 * A process's output as it is written, without a gap: live messages carry their offset, and what is missing before one is
 * requested. MUST hold: every byte once and in order; achieved by counting.
 */
import type {Msg} from 'nats'
import type {StreamName} from '../../machines/schemas/streams.ts'
import {TallyError} from '../kernel/errors.ts'
import {endHeader, offsetHeader} from '../messaging/headers.ts'
import type {ProcessClient, TallyClient} from './types.ts'

export interface OutputFollower extends Disposable {
  /**
   * Resolves when the container's output has ended and all of it has been given to `onBytes`.
   * @throws TallyError NATS_UNREACHABLE when the connection was lost: follow on from `position` with another
   */
  readonly ended: Promise<void>
  /** How many bytes of the stream have been given to `onBytes`, or came before the first wanted. */
  readonly position: number
}

export interface FollowOptions {
  readonly stream: StreamName
  /** The first byte wanted. */
  readonly offset?: number
  /** So many bytes were dropped with an old file of the log before they could be read; those after them follow. */
  readonly onDropped?: (count: number) => void
  /** How much may wait for a slow `onBytes`, default 8 MiB; the rest is dropped, and requested when its turn comes. */
  readonly mostQueuedBytes?: number
  /** The next piece waits until the returned promise is settled. */
  readonly onBytes: (bytes: Uint8Array) => void | Promise<void>
}

/** After so long without a message the container is asked: the end may have been published before we subscribed. */
const askAgainMs = 1_000
const usualQueueBytes = 8 * 1024 * 1024

/** Subscribes before it returns: what is written from then on is not missed. */
export function followOutput(
  client: TallyClient,
  process: ProcessClient,
  {stream, offset = 0, onDropped, mostQueuedBytes = usualQueueBytes, onBytes}: FollowOptions,
): OutputFollower {
  const {connection, subjects} = client
  const queue: Msg[] = []
  let queuedBytes = 0
  let position = offset
  let disposed = false
  let wake = () => {}
  const subscription = connection.subscribe(
    process.exec === undefined ? subjects.log(process.address, stream) : subjects.io(process.address, process.exec, stream),
    {
      callback: (error, message) => {
        if (error || queuedBytes > mostQueuedBytes) return
        queue.push(message)
        queuedBytes += message.data.length
        wake()
      },
    },
  )
  connection.closed().then(() => wake())
  const ended = run().finally(() => subscription.unsubscribe())
  // A caller that waits for it gets the error; none may be waiting yet.
  ended.catch(() => {})

  return {
    ended,
    get position() {
      return position
    },
    [Symbol.dispose]: () => {
      disposed = true
      wake()
    },
  }

  async function run(): Promise<void> {
    while (!disposed) {
      const message = queue.shift()
      if (message) {
        queuedBytes -= message.data.length
        if (await take(message)) return
      } else {
        if (connection.isClosed()) throw new TallyError('NATS_UNREACHABLE', 'the connection to NATS was lost')
        // Silence. Is there more, or was that all?
        if ((await somethingHeard()) === 'silence' && (await catchUp())) return
      }
    }
  }

  /** @returns whether that was the end */
  async function take(message: Msg): Promise<boolean> {
    const at = Number(message.headers?.get(offsetHeader))
    if (!Number.isSafeInteger(at)) return false
    if (at > position) await catchUp(at)
    if (at > position) throw missed(at - position)
    const bytes = message.data.subarray(position - at)
    if (bytes.length > 0) await give(bytes)
    return message.headers?.has(endHeader) === true
  }

  /** Requests what is missing, up to a position. @returns whether the container's output has ended and we have all of it */
  async function catchUp(upTo = Number.POSITIVE_INFINITY): Promise<boolean> {
    for (;;) {
      const reply = await process.output(stream, position)
      if (reply.offset > position) {
        onDropped?.(reply.offset - position)
        position = reply.offset
      }
      const bytes = Buffer.from(reply.data, 'base64')
      if (bytes.length > 0) await give(bytes)
      if (reply.ended && position >= reply.total) return true
      if (bytes.length === 0 || position >= upTo) return false
    }
  }

  async function give(bytes: Uint8Array): Promise<void> {
    position += bytes.length
    await onBytes(bytes)
  }

  function missed(count: number): TallyError {
    return new TallyError('CONTAINER_NOT_FOUND', `${count} bytes of ${stream} were missed, and the container that had them is gone`)
  }

  function somethingHeard(): Promise<'message' | 'silence'> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve('silence'), askAgainMs)
      wake = () => {
        clearTimeout(timer)
        resolve('message')
      }
    })
  }
}

/**
 * A process's output as it is written, without a gap: live messages carry their offset, and what is missing before one is
 * requested. MUST hold: every byte once and in order; achieved by counting. Output is published while somebody asks for that: each request
 * does, and there is one at the beginning, after each second of silence, and every few seconds between messages.
 */
import type {Msg} from 'nats'
import type {OutputReply} from '../../machines/views/view.ts'
import type {StreamName} from '../../machines/schemas/streams.ts'
import {type Clock, createSystemClock} from '../kernel/clock.ts'
import {assertNever, TallyError} from '../kernel/errors.ts'
import {endHeader, offsetHeader} from '../messaging/headers.ts'
import {createMessageQueue} from './message-queue.ts'
import type {ProcessClient, TallyClient} from './types.ts'
import {type NamedReader, renewMs, watched} from './watched.ts'

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
  /** A process that removes itself waits for this one, until it lets go. */
  readonly reader?: Pick<NamedReader, 'watched'>
  /** How much may wait for a slow `onBytes`, default 8 MiB; the rest is dropped, and requested when its turn comes. */
  readonly mostQueuedBytes?: number
  /** The next piece waits until the returned promise is settled. */
  readonly onBytes: (bytes: Uint8Array) => void | Promise<void>
}

/**
 * After so long without a message the container is asked: the last message may have been lost, or the supervisor been replaced by one that
 * does not publish yet.
 */
const askAgainMs = 1_000
const usualQueueBytes = 8 * 1024 * 1024

/** Subscribes before it returns: what is written from then on is not missed. */
export function followOutput(client: TallyClient, process: ProcessClient, options: FollowOptions): OutputFollower {
  return createOutputFollower({client, process, clock: createSystemClock()}, options)
}

export interface FollowDependencies {
  readonly client: Pick<TallyClient, 'connection' | 'subjects'>
  readonly process: Pick<ProcessClient, 'address' | 'exec' | 'output'>
  readonly clock: Pick<Clock, 'elapsed'>
}

/** As {@link followOutput}. */
export function createOutputFollower(
  {client, process, clock}: FollowDependencies,
  {stream, offset = 0, onDropped, reader = {watched}, mostQueuedBytes = usualQueueBytes, onBytes}: FollowOptions,
): OutputFollower {
  const {connection, subjects} = client
  const queue = createMessageQueue(mostQueuedBytes)
  let position = offset
  let renewAtMs = 0
  const subscription = connection.subscribe(
    process.exec === undefined ? subjects.log(process.address, stream) : subjects.io(process.address, process.exec, stream),
    {callback: (error, message) => void (error ?? queue.push(message))},
  )
  connection.closed().then(queue.end)
  const ended = run().finally(() => subscription.unsubscribe())
  // A caller that waits for it gets the error; none may be waiting yet.
  ended.catch(() => {})

  return {
    ended,
    get position() {
      return position
    },
    [Symbol.dispose]: queue.dispose,
  }

  async function run(): Promise<void> {
    // All that is not published.
    if (await catchUp()) return
    for (;;) {
      const heard = await queue.next(askAgainMs)
      switch (heard.type) {
        case 'message':
          if (await take(heard.message)) return
          if (clock.elapsed() >= renewAtMs && (await catchUp(position))) return
          break
        case 'silence':
          if (await catchUp()) return
          break
        case 'disposed':
          return
        case 'ended':
          throw new TallyError('NATS_UNREACHABLE', 'the connection to NATS was lost')
        default:
          assertNever(heard)
      }
    }
  }

  /** @returns whether that was the end */
  async function take(message: Msg): Promise<boolean> {
    const at = Number(message.headers?.get(offsetHeader))
    if (!Number.isSafeInteger(at)) return false
    if (at > position && (await catchUp(at))) return true
    if (at > position) throw missed(at - position)
    const bytes = message.data.subarray(position - at)
    if (bytes.length > 0) await give(bytes)
    return message.headers?.has(endHeader) === true
  }

  /**
   * Requests what is missing.
   * @param upTo that of the first reply when absent: from there on it is published
   * @returns whether that was all: the container's output has ended and we have it, or no more is wanted
   */
  async function catchUp(upTo?: number): Promise<boolean> {
    for (let end = upTo; ; ) {
      const reply = await request()
      end ??= reply.total
      if (reply.offset > position) {
        onDropped?.(reply.offset - position)
        position = reply.offset
      }
      const bytes = Buffer.from(reply.data, 'base64')
      if (bytes.length > 0) await give(bytes)
      if (queue.isDisposed || (reply.ended && position >= reply.total)) return true
      if (bytes.length === 0 || position >= end) return false
    }
  }

  async function request(): Promise<OutputReply> {
    const reply = await reader.watched((options) => process.output(stream, position, options))
    renewAtMs = clock.elapsed() + renewMs
    return reply
  }

  async function give(bytes: Uint8Array): Promise<void> {
    position += bytes.length
    await onBytes(bytes)
  }

  function missed(count: number): TallyError {
    return new TallyError('CONTAINER_NOT_FOUND', `${count} bytes of ${stream} were missed, and the container that had them is gone`)
  }
}

/** Sends a request and puts the chunks of its reply together: see chunks.ts. */
import {createInbox, type Msg, type MsgHdrs, type NatsConnection, NatsError} from 'nats'
import {TallyError} from '../kernel/errors.ts'
import {assertFits, type Chunk, parseChunk} from './chunks.ts'
import {acceptsChunksHeader} from './headers.ts'

export interface Gathered {
  readonly data: Uint8Array
  readonly headers: MsgHdrs | undefined
}

export interface GatherOptions {
  /** For the reply, and again for each further chunk. */
  readonly timeoutMs: number
  readonly headers: MsgHdrs
}

/**
 * @returns undefined when there is no responder
 * @throws TallyError REQUEST_TOO_LARGE, TIMED_OUT, NATS_UNREACHABLE
 */
export async function requestGathered(
  connection: NatsConnection,
  subject: string,
  payload: Uint8Array,
  {timeoutMs, headers}: GatherOptions,
): Promise<Gathered | undefined> {
  assertFits(payload, connection)
  const {promise, resolve, reject} = Promise.withResolvers<Gathered | undefined>()
  const chunks = new Map<number, Uint8Array>()
  const lost = (cause?: unknown) =>
    reject(new TallyError('NATS_UNREACHABLE', `the connection to NATS was lost while waiting on ${subject}`, {cause}))
  const late = () => reject(new TallyError('TIMED_OUT', `no answer on ${subject} within ${timeoutMs} ms`, {details: {subject, timeoutMs}}))
  let timer = setTimeout(late, timeoutMs)
  headers.set(acceptsChunksHeader, '1')
  try {
    const reply = createInbox()
    const subscription = connection.subscribe(reply, {callback: (error, message) => (error ? lost(error) : take(message))})
    subscription.closed.then(() => lost(), lost)
    try {
      connection.publish(subject, payload, {reply, headers})
      return await promise
    } finally {
      subscription.unsubscribe()
    }
  } catch (cause) {
    if (cause instanceof NatsError) throw new TallyError('NATS_UNREACHABLE', `cannot ask on ${subject}: ${cause.message}`, {cause})
    throw cause
  } finally {
    clearTimeout(timer)
  }

  function take(message: Msg): void {
    // Sent by the server when there are no responders (ADR-4).
    const isUnheard = message.headers?.code === 503 && message.data.length === 0
    const chunk = parseChunk(message)
    if (chunk) takeChunk(chunk, message.data)
    else resolve(isUnheard ? undefined : {data: message.data, headers: message.headers})
  }

  function takeChunk({number, count}: Chunk, data: Uint8Array): void {
    clearTimeout(timer)
    timer = setTimeout(late, timeoutMs)
    // The library uses the buffer of a message again.
    chunks.set(number, data.slice())
    if (chunks.size < count) return
    const inOrder = Array.from({length: count}, (_, index) => chunks.get(index + 1) ?? new Uint8Array())
    resolve({data: Buffer.concat(inOrder), headers: undefined})
  }
}

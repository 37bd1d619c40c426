/**
 * An unending response: server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). MUST hold: a slow reader
 * costs no memory, and one that does not read at all is disconnected; achieved by pulling the next piece from the source when the socket
 * has taken the one before, and by a deadline.
 */
import type {Clock} from '../../kernel/clock.ts'

/** Pieces of the response, each of whole messages. Ends when the signal aborts. */
export type EventSource = (signal: AbortSignal) => AsyncGenerator<string, void, undefined>

export interface EventStreamOptions {
  readonly clock: Pick<Clock, 'elapsed' | 'at'>
  /** The reader has taken nothing for too long. */
  readonly onStalled: () => void
  readonly heartbeatMs?: number
  readonly stallMs?: number
}

export interface ServerSentEvent {
  readonly id?: string | number
  /** `message` when absent. */
  readonly event?: string
  readonly data: unknown
}

const heartbeat = ': still here\n\n'
/** A browser that lost the connection reconnects after this time. */
const preamble = 'retry: 1000\n\n'

export function formatEvent({id, event, data}: ServerSentEvent): string {
  return `${id === undefined ? '' : `id: ${id}\n`}${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`
}

export function toEventStream(source: EventSource, options: EventStreamOptions): ReadableStream<Uint8Array> {
  const {clock, onStalled, heartbeatMs = 15_000, stallMs = 60_000} = options
  const ended = new AbortController()
  const pieces = source(ended.signal)
  const encoder = new TextEncoder()
  /** The piece that was requested and has not come yet; the request continues while heartbeats are sent. */
  let pending: Promise<IteratorResult<string, void>> | undefined
  let stall: Disposable | undefined
  let begun = false

  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        stall?.[Symbol.dispose]()
        const piece = begun ? await next() : preamble
        begun = true
        if (ended.signal.aborted) return
        if (piece === undefined) return controller.close()
        controller.enqueue(encoder.encode(piece))
        stall = clock.at(clock.elapsed() + stallMs, () => {
          end()
          onStalled()
        })
      },
      cancel: () => end(),
    },
    {highWaterMark: 0},
  )

  /** @returns undefined at the end */
  async function next(): Promise<string | undefined> {
    pending ??= ask()
    const silence = Promise.withResolvers<'silence'>()
    using _timer = clock.at(clock.elapsed() + heartbeatMs, () => silence.resolve('silence'))
    const result = await Promise.race([pending, silence.promise])
    if (result === 'silence') return heartbeat
    pending = undefined
    return result.done ? undefined : result.value
  }

  function ask(): Promise<IteratorResult<string, void>> {
    const asked = pieces.next()
    // It may fail while nothing awaits it; the next pull gets the error.
    asked.catch(() => {})
    return asked
  }

  function end(): void {
    stall?.[Symbol.dispose]()
    ended.abort()
    // Its result no longer matters.
    pieces.return().catch(() => {})
  }
}

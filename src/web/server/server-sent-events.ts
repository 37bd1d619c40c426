/**
 * A response that goes on: server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). The source is
 * asked for more when the socket has taken what was before. MUST hold: who reads slowly costs no memory, and who does not read
 * at all is dropped; achieved by asking, and by a deadline.
 */
import type {Clock} from '../../kernel/clock.ts'

/** Pieces of the response, whole messages each. Ends when the signal does. */
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
/** A browser that lost us tries again after so long. */
const preamble = 'retry: 1000\n\n'

export function formatEvent({id, event, data}: ServerSentEvent): string {
  return `${id === undefined ? '' : `id: ${id}\n`}${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`
}

export function toEventStream(source: EventSource, options: EventStreamOptions): ReadableStream<Uint8Array> {
  const {clock, onStalled, heartbeatMs = 15_000, stallMs = 60_000} = options
  const ended = new AbortController()
  const pieces = source(ended.signal)
  const encoder = new TextEncoder()
  /** What was asked for and has not come; it goes on while heartbeats are sent. */
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
    // It may fail while nobody waits for it; whoever asks next is told.
    asked.catch(() => {})
    return asked
  }

  function end(): void {
    stall?.[Symbol.dispose]()
    ended.abort()
    // Whatever it ends with, nobody reads it any more.
    pieces.return().catch(() => {})
  }
}

/**
 * Server-sent events that come back by themselves. The browser reconnects after a broken connection; after an answer that
 * is none it gives up, and then this asks again, from the last event that was seen.
 */

export type StreamState = 'connecting' | 'live' | 'lost'

export interface ServerEventHandlers {
  /** @param id that of the event, to go on after; empty when it has none */
  onData(data: string, id: string): void
  onState?(state: StreamState): void
  /** The server knows the last event that was seen from its id; otherwise each connection has an address of its own. On unless told. */
  readonly resumes?: boolean
  /** Events with a name of their own. */
  readonly named?: Readonly<Record<string, () => void>>
}

const [firstRetryMs, longestRetryMs] = [500, 10_000]

/** @param toUrl called for each connection, with the id of the last event; empty before the first */
export function followServerEvents(
  toUrl: (lastId: string) => string,
  {onData, onState, resumes = true, named = {}}: ServerEventHandlers,
): Disposable {
  let source: EventSource
  let lastId = ''
  let retryMs = firstRetryMs
  let timer: ReturnType<typeof setTimeout> | undefined
  connect()
  return {
    [Symbol.dispose]: () => {
      clearTimeout(timer)
      source.close()
    },
  }

  function connect(): void {
    source = new EventSource(toUrl(lastId))
    source.onopen = () => {
      retryMs = firstRetryMs
      onState?.('live')
    }
    source.onmessage = ({data, lastEventId}: MessageEvent<string>) => {
      if (lastEventId !== '') lastId = lastEventId
      onData(data, lastEventId)
    }
    source.onerror = () => {
      onState?.('lost')
      if (!resumes) source.close()
      if (source.readyState !== EventSource.CLOSED) return
      clearTimeout(timer)
      timer = setTimeout(connect, retryMs)
      retryMs = Math.min(2 * retryMs, longestRetryMs)
    }
    for (const [name, handler] of Object.entries(named)) source.addEventListener(name, handler)
  }
}

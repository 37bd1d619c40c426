/**
 * Server-sent events that survive any failure. The browser reconnects after a broken connection, but gives up after an invalid
 * response; then this opens another connection that continues after the last event received.
 */

export type StreamState = 'connecting' | 'live' | 'lost'

export interface ServerEventHandlers {
  /** @param id the id of the event, from which a connection can continue; empty when the event has none */
  onData(data: string, id: string): void
  onState?(state: StreamState): void
  /** Whether the browser may reconnect to the same URL, since the server continues after the last id. If false, each connection has its own URL. Default: true. */
  readonly resumes?: boolean
  /** Handlers of named events. */
  readonly named?: Readonly<Record<string, () => void>>
}

const [firstRetryMs, longestRetryMs] = [500, 10_000]

type Connection =
  /** The browser connects, and reconnects by itself. */
  | {readonly type: 'open'; readonly source: EventSource}
  /** It has given up: another one is made when the time has come. */
  | {readonly type: 'waiting'; readonly timer: ReturnType<typeof setTimeout>}
  | {readonly type: 'ended'}

/** @param toUrl called for each connection, with the id of the last event; empty before the first */
export function followServerEvents(
  toUrl: (lastId: string) => string,
  {onData, onState, resumes = true, named = {}}: ServerEventHandlers,
): Disposable {
  let lastId = ''
  let retryMs = firstRetryMs
  let connection = connect()
  return {
    [Symbol.dispose]: () => {
      if (connection.type === 'open') connection.source.close()
      if (connection.type === 'waiting') clearTimeout(connection.timer)
      connection = {type: 'ended'}
    },
  }

  function connect(): Connection {
    const source = new EventSource(toUrl(lastId))
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
      if (source.readyState === EventSource.CLOSED && connection.type === 'open') connection = connectLater()
    }
    for (const [name, handler] of Object.entries(named)) source.addEventListener(name, handler)
    return {type: 'open', source}
  }

  function connectLater(): Connection {
    const timer = setTimeout(() => {
      connection = connect()
    }, retryMs)
    retryMs = Math.min(2 * retryMs, longestRetryMs)
    return {type: 'waiting', timer}
  }
}

/** Publishes output on `tally.log.…`, or that of an added process on `tally.io.…`: raw bytes with their place in the stream; an empty message ends it. */
import {headers} from 'nats'
import {toMessageRoom} from '../../messaging/chunks.ts'
import {endHeader, offsetHeader, timeHeader} from '../../messaging/headers.ts'
import type {NatsLink} from '../../messaging/link.ts'
import type {OutputChunk, StreamName} from '../../stdio/streams.ts'

export interface OutputFeed {
  publish(chunk: OutputChunk): void
  publishEnd(totals: Readonly<Record<StreamName, number>>, atMs: number): void
}

/** What may be on its way to a slow server at once; more is left to the `output` command. */
const mostUnsentBytes = 2 * 1024 * 1024

export function createOutputFeed(link: NatsLink, toSubject: (stream: StreamName) => string): OutputFeed {
  let unsentBytes = 0

  return {
    publish: (chunk) => {
      const {bytes} = chunk
      const room = toRoom()
      for (let at = 0; at < bytes.length; at += room)
        send({...chunk, offset: chunk.offset + at, bytes: bytes.subarray(at, at + room)}, false)
    },
    publishEnd: (totals, atMs) => {
      for (const stream of ['stdout', 'stderr'] as const) send({stream, offset: totals[stream], atMs, bytes: new Uint8Array()}, true)
    },
  }

  /** The server may be configured to take less in one message than was read at once. */
  function toRoom(): number {
    const connection = link.session()
    return connection ? toMessageRoom(connection) : Number.POSITIVE_INFINITY
  }

  function send({stream, offset, atMs, bytes}: OutputChunk, ended: boolean): void {
    const connection = link.session()
    if (!connection || (!ended && unsentBytes > mostUnsentBytes)) return
    const header = headers()
    header.set(offsetHeader, String(offset))
    header.set(timeHeader, new Date(atMs).toISOString())
    if (ended) header.set(endHeader, '1')
    connection.publish(toSubject(stream), bytes, {headers: header})
    unsentBytes += bytes.length
    connection.flush().then(
      () => {
        unsentBytes -= bytes.length
      },
      () => {
        unsentBytes = 0
      },
    )
  }
}

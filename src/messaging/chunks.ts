/**
 * Replies that are larger than a message of this server may be. A client that understands chunks says so in a header of its request. It
 * receives the reply in numbered messages, whose payloads in their order are the reply. Any other client gets an error that says how to
 * request less (docs/adr/0022).
 */
import {headers, type Msg, type NatsConnection} from 'nats'
import {TallyError} from '../kernel/errors.ts'
import {acceptsChunksHeader, chunkHeader} from './headers.ts'

/** For headers, and for the envelope of the event that contains the request and must fit into one message as well. */
const aroundBytes = 8 * 1024
/** The default of nats-server. */
const usualPayloadBytes = 1024 * 1024
/** The server buffers a reply for a slow reader, and disconnects the reader at 64 MiB. */
const largestReplyBytes = 32 * 1024 * 1024

/** How many bytes fit into one message, with room for headers and an envelope. */
export function toMessageRoom({info}: Pick<NatsConnection, 'info'>): number {
  return Math.max(1, (info?.max_payload ?? usualPayloadBytes) - aroundBytes)
}

/** A request becomes part of an event, which is larger. @throws TallyError REQUEST_TOO_LARGE */
export function assertFits(request: Uint8Array, connection: Pick<NatsConnection, 'info'>): void {
  const room = toMessageRoom(connection)
  if (request.length > room)
    throw new TallyError(
      'REQUEST_TOO_LARGE',
      `expected at most ${room} bytes, since the NATS server takes no more, got ${request.length}`,
      {
        details: {bytes: request.length, mostBytes: room},
      },
    )
}

/** How many bytes the reply to a request may have. */
export function toReplyRoom(connection: Pick<NatsConnection, 'info'>, request: Pick<Msg, 'headers'>): number {
  return acceptsChunks(request) ? largestReplyBytes : toMessageRoom(connection)
}

/** @throws TallyError REPLY_TOO_LARGE */
export function respond(message: Msg, connection: Pick<NatsConnection, 'info'>, bytes: Uint8Array): void {
  const [room, messageRoom] = [toReplyRoom(connection, message), toMessageRoom(connection)]
  if (bytes.length > room) throw tooLarge(bytes.length, room, acceptsChunks(message))
  if (bytes.length <= messageRoom) {
    message.respond(bytes)
    return
  }
  const count = Math.ceil(bytes.length / messageRoom)
  for (let index = 0; index < count; index += 1) {
    const header = headers()
    header.set(chunkHeader, `${index + 1}/${count}`)
    message.respond(bytes.subarray(index * messageRoom, (index + 1) * messageRoom), {headers: header})
  }
}

export interface Chunk {
  /** From 1. */
  readonly number: number
  readonly count: number
}

/** @returns undefined for a reply that is one message */
export function parseChunk(message: Pick<Msg, 'headers'>): Chunk | undefined {
  const [, number, count] = /^(\d{1,6})\/(\d{1,6})$/.exec(message.headers?.get(chunkHeader) ?? '') ?? []
  return number === undefined || count === undefined ? undefined : {number: Number(number), count: Number(count)}
}

function acceptsChunks(request: Pick<Msg, 'headers'>): boolean {
  return request.headers?.get(acceptsChunksHeader) === '1'
}

function tooLarge(bytes: number, room: number, inChunks: boolean): TallyError {
  const way = inChunks ? '' : `, or for chunks (header ${acceptsChunksHeader}: 1)`
  return new TallyError(
    'REPLY_TOO_LARGE',
    `the reply has ${bytes} bytes, and may have ${room}: ask for a part of it (limit and after, where the command has them)${way}`,
    {details: {bytes, mostBytes: room}},
  )
}

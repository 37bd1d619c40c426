/**
 * Replies that are larger than a message of this server may be. Whoever understands them says so in a header of the request, and is
 * sent the reply in numbered chunks: messages whose payloads, one behind the other, are the reply. Anybody else is told that it is too
 * large, and how to ask for less (docs/adr/0022).
 */
import {headers, type Msg, type NatsConnection, type ServiceMsg} from 'nats'
import {TallyError} from '../kernel/errors.ts'
import {acceptsChunksHeader, chunkHeader} from './headers.ts'

/** Of headers, and of what an event has around what was asked for, which must be one message as well. */
const aroundBytes = 8 * 1024
/** What a server takes unless it was told otherwise. */
const usualPayloadBytes = 1024 * 1024
/** A reply waits in the server for a slow reader, who is hung up on at 64 MiB. */
const largestReplyBytes = 32 * 1024 * 1024

/** So many bytes go into one message, with room for what is around them. */
export function toMessageRoom({info}: Pick<NatsConnection, 'info'>): number {
  return Math.max(1, (info?.max_payload ?? usualPayloadBytes) - aroundBytes)
}

/** What was asked for goes on in an event, with more around it. @throws TallyError REQUEST_TOO_LARGE */
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

/** So many bytes the reply to a request may have. */
export function toReplyRoom(connection: Pick<NatsConnection, 'info'>, request: Pick<Msg, 'headers'>): number {
  return acceptsChunks(request) ? largestReplyBytes : toMessageRoom(connection)
}

/** @throws TallyError REPLY_TOO_LARGE */
export function respond(message: ServiceMsg, connection: Pick<NatsConnection, 'info'>, bytes: Uint8Array): void {
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

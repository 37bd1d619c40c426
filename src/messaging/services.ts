/** Request/reply endpoints over the NATS services API (ADR-32): `nats micro ls` and `$SRV.PING/INFO/STATS` find them. */
import {randomUUID} from 'node:crypto'
import type {NatsConnection, Service, ServiceMsg} from 'nats'
import type {z} from 'zod'
import {errorKinds, toErrorBody} from '../kernel/errors.ts'
import type {Logger} from '../kernel/log.ts'
import {assertFits, respond, toReplyRoom} from './chunks.ts'
import {encodeJson, parseRequest, readOrigin, type RequestOrigin, toErrorReply} from './codec.ts'
import {errorHeader} from './headers.ts'
import {fromJetStream} from './jetstream.ts'
import {createEndpointFigures, type EndpointFigures, putFigures} from './service-figures.ts'

export type {Service}

/** Who sent the request, its correlation id, and whether it is a retry. */
export type Asked = RequestOrigin & {readonly correlationId: string}

export interface Endpoint {
  readonly name: string
  readonly subject: string
  /** Parses the request, answers, or throws a TallyError. Several run at once. */
  readonly handle: (bytes: Uint8Array, origin: Asked, message: Incoming) => Promise<unknown>
}

/** What a request has besides its payload. */
export interface Incoming {
  readonly subject: string
  /** How many bytes the reply may have. */
  readonly room: number
  header(name: string): string | undefined
}

export interface ServiceOptions {
  readonly name: 'tally-coordinator' | 'tally-supervisor'
  readonly version: string
  readonly description: string
  readonly metadata: Readonly<Record<string, string>>
  readonly endpoints: readonly Endpoint[]
  readonly logger: Logger
  /** Called when a request comes; the returned function when it is answered, with `done` or the kind of the error. */
  readonly measure?: (verb: string) => (outcome: string) => void
}

/** An endpoint with its schema applied. */
export function endpoint<S extends z.ZodType>(
  name: string,
  subject: string,
  schema: S,
  handle: (request: z.output<S>, origin: Asked, message: Incoming) => Promise<unknown>,
): Endpoint {
  return {name, subject, handle: (bytes, origin, message) => handle(parseRequest(schema, bytes), origin, message)}
}

export async function registerService(connection: NatsConnection, options: ServiceOptions): Promise<Service> {
  const {name, version, description, metadata, endpoints, logger, measure} = options
  const figures = new Map(endpoints.map((one) => [one.name, createEndpointFigures()]))
  const service = await connection.services.add({
    name,
    version,
    description,
    metadata: {...metadata},
    statsHandler: async (one) => {
      const own = 'name' in one && typeof one.name === 'string' ? figures.get(one.name) : undefined
      if (own) putFigures(one, own)
    },
  })
  for (const {name: verb, subject, handle} of endpoints) {
    service.addEndpoint(verb, {
      subject,
      // The queue group has one member: each address belongs to one container or node.
      handler: (error, message) => {
        if (!error) void answer(message, handle, {connection, logger, ended: measure?.(verb), counted: figures.get(verb)?.begin()})
      },
    })
  }
  // Requests sent after this are answered.
  await connection.flush()
  return service
}

function toIncoming(message: ServiceMsg, connection: NatsConnection): Incoming {
  const {subject, headers} = message
  return {subject, room: toReplyRoom(connection, message), header: (name) => headers?.get(name) || undefined}
}

interface Answering {
  readonly connection: NatsConnection
  readonly logger: Logger
  readonly ended: ((outcome: string) => void) | undefined
  readonly counted: ReturnType<EndpointFigures['begin']> | undefined
}

async function answer(message: ServiceMsg, handle: Endpoint['handle'], {connection, logger, ended, counted}: Answering): Promise<void> {
  const {correlationId = randomUUID(), ...origin} = readOrigin(message)
  try {
    assertFits(message.data, connection)
    respond(message, connection, encodeJson(await handle(message.data, {...origin, correlationId}, toIncoming(message, connection))))
    ended?.('done')
    counted?.()
  } catch (error) {
    const body = toErrorBody(fromJetStream(error))
    if (body.kind === 'bug') logger.error({err: error, subject: message.subject}, 'a request failed because of a bug')
    const {payload, headers} = toErrorReply(body)
    message.respondError(errorKinds[body.kind], headers.get(errorHeader), payload)
    ended?.(body.kind)
    counted?.(body)
  }
}

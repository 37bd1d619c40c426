/** Request/reply endpoints over the NATS services API (ADR-32): `nats micro ls` and `$SRV.PING/INFO/STATS` find them. */
import {randomUUID} from 'node:crypto'
import type {Msg, NatsConnection} from 'nats'
import type {z} from 'zod'
import {toErrorBody} from '../kernel/errors.ts'
import type {Logger} from '../kernel/log.ts'
import {assertFits, respond, toReplyRoom} from './chunks.ts'
import {encodeJson, parseRequest, readOrigin, type RequestOrigin, toErrorReply} from './codec.ts'
import {fromJetStream} from './jetstream.ts'
import {type KeptRequest, keepRequest} from './kept-request.ts'
import {createEndpointFigures, type EndpointFigures, putFigures} from './service-figures.ts'

/** Who sent the request, its correlation id, and whether it is a retry. */
export type Asked = RequestOrigin & {readonly correlationId: string}

export interface Endpoint {
  readonly name: string
  readonly subject: string
  /** Parses the request, answers, or throws a TallyError. Several run at once. */
  readonly handle: Handle
}

/** Resolves to the reply, or to `passedOn` when somebody else answers. */
export type Handle = (bytes: Uint8Array, origin: Asked, message: Incoming) => Promise<unknown>

export const passedOn: unique symbol = Symbol('passed on')

/** What a request has besides its payload. */
export interface Incoming {
  /** The one it was sent to, also when somebody else has received it first. */
  readonly subject: string
  /** Whether it came over the own subject: somebody else has received it first, and may have kept it for a while. */
  readonly isHandedOn: boolean
  /** How many bytes the reply may have. */
  readonly room: number
  header(name: string): string | undefined
  /** Call it at once: the library uses the buffer of a message again. */
  keep(): KeptRequest
}

export interface ServiceOptions {
  readonly name: 'tally-coordinator' | 'tally-supervisor'
  readonly version: string
  readonly description: string
  readonly metadata: Readonly<Record<string, string>>
  readonly endpoints: readonly Endpoint[]
  /** A subject of this process alone, where requests for its endpoints arrive that somebody else has received. */
  readonly own?: OwnSubject
  readonly logger: Logger
  /** Called when a request comes; the returned function when it is answered, with `done` or the kind of the error. */
  readonly measure?: (verb: string) => (outcome: string) => void
}

export interface OwnSubject {
  readonly subject: string
  /** The subject to which such a request was sent; undefined for one that asks whether anybody is there. */
  readonly toPublic: (subject: string) => string | undefined
  /** Whether it is answered. */
  readonly isThere: () => boolean
}

export interface RegisteredService {
  /** That of the services API. */
  readonly id: string
  /** Takes no more requests. Resolves when the server knows and all that it has sent before is begun. */
  stop(): Promise<void>
}

/** The queue group of every endpoint: of those that listen to a subject, the server gives a request to one. */
export const queueGroup = 'q'

/** An endpoint with its schema applied. */
export function endpoint<S extends z.ZodType>(
  name: string,
  subject: string,
  schema: S,
  handle: (request: z.output<S>, origin: Asked, message: Incoming) => Promise<unknown>,
): Endpoint {
  return {name, subject, handle: (bytes, origin, message) => handle(parseRequest(schema, bytes), origin, message)}
}

export async function registerService(connection: NatsConnection, options: ServiceOptions): Promise<RegisteredService> {
  const {name, version, description, metadata, endpoints, own, logger, measure} = options
  const figures = new Map(endpoints.map((one) => [one.name, createEndpointFigures()]))
  const service = await connection.services.add({
    name,
    version,
    description,
    metadata: {...metadata},
    queue: queueGroup,
    statsHandler: async (one) => {
      const known = 'name' in one && typeof one.name === 'string' ? figures.get(one.name) : undefined
      if (known) putFigures(one, known)
    },
  })
  const take = (message: Msg, {name: verb, handle}: Endpoint, isHandedOn: boolean, subject: string) =>
    void answerMessage(message, handle, {
      connection,
      logger,
      incoming: toIncoming(message, {connection, subject, isHandedOn}),
      ended: measure?.(verb),
      counted: figures.get(verb)?.begin(),
    })
  const listening =
    own &&
    listenToOwn(connection, own, (message, subject) => {
      const wanted = endpoints.find((one) => isMatch(one.subject, subject))
      if (wanted) take(message, wanted, true, subject)
    })
  for (const one of endpoints) {
    service.addEndpoint(one.name, {
      subject: one.subject,
      handler: (error, message) => {
        if (!error) take(message, one, false, message.subject)
      },
    })
  }
  // Requests sent after this are answered.
  await connection.flush()
  return {
    id: service.info().id,
    stop: async () => void (await Promise.all([service.stop(), listening?.drain()])),
  }
}

/** Without a queue group: nobody else gets any of it. */
function listenToOwn(
  connection: NatsConnection,
  {subject: own, toPublic, isThere}: OwnSubject,
  take: (message: Msg, subject: string) => void,
) {
  return connection.subscribe(own, {
    callback: (error, message) => {
      if (error) return
      const subject = toPublic(message.subject)
      if (subject !== undefined) take(message, subject)
      else if (isThere()) message.respond(encodeJson({}))
    },
  })
}

/** @param pattern may have the wildcard `*` for a token */
function isMatch(pattern: string, subject: string): boolean {
  const [wanted, given] = [pattern.split('.'), subject.split('.')]
  return wanted.length === given.length && wanted.every((token, index) => token === '*' || token === given[index])
}

export function toIncoming(
  message: Msg,
  {connection, subject, isHandedOn}: {readonly connection: NatsConnection; readonly subject: string; readonly isHandedOn: boolean},
): Incoming {
  const {headers} = message
  return {
    subject,
    isHandedOn,
    room: toReplyRoom(connection, message),
    header: (name) => headers?.get(name) || undefined,
    keep: () => ({...keepRequest(message), subject}),
  }
}

export interface Answering {
  readonly connection: NatsConnection
  readonly logger: Logger
  readonly incoming: Incoming
  readonly ended?: ((outcome: string) => void) | undefined
  readonly counted?: ReturnType<EndpointFigures['begin']> | undefined
}

/** Parses who sent it, has it handled, and replies: with the outcome, or with the error. */
export async function answerMessage(
  message: Msg,
  handle: Handle,
  {connection, logger, incoming, ended, counted}: Answering,
): Promise<void> {
  const {correlationId = randomUUID(), ...origin} = readOrigin(message)
  try {
    assertFits(message.data, connection)
    const reply = await handle(message.data, {...origin, correlationId}, incoming)
    if (reply !== passedOn) respond(message, connection, encodeJson(reply))
    ended?.('done')
    counted?.()
  } catch (error) {
    const body = toErrorBody(fromJetStream(error))
    if (body.kind === 'bug') logger.error({err: error, subject: incoming.subject}, 'a request failed because of a bug')
    const {payload, headers} = toErrorReply(body)
    message.respond(payload, {headers})
    ended?.(body.kind)
    counted?.(body)
  }
}

/** JSON on the wire: requests, replies and errors (ADR-32's headers, and a body). */
import {headers, type Msg, type MsgHdrs, type NatsConnection} from 'nats'
import type {z} from 'zod'
import {type ErrorBody, errorKinds, fromFailure, isErrorBody, TallyError} from '../kernel/errors.ts'
import {describeIssues} from '../kernel/issues.ts'
import {requestGathered} from './gather.ts'
import {actorHeader, attemptHeader, correlationHeader, errorCodeHeader, errorHeader} from './headers.ts'

/** Larger requests are refused: a create with a long environment has some kilobytes. */
export const largestRequestBytes = 256 * 1024

/** Listed of one request; one with more is no such request at all. */
const mostIssues = 50
const largestErrorBytes = 32 * 1024
const longestMessage = 4_096

/** Who sent a request, and the id under which all that follows from it is found. */
export interface RequestOrigin {
  readonly actor: string
  readonly correlationId: string | undefined
  /** The same request may have been sent before, under the same correlation id, without an answer. */
  readonly isRetry?: boolean
}

/** @throws TallyError INVALID_REQUEST with a line per field, REQUEST_TOO_LARGE. An empty payload is `{}`. */
export function parseRequest<S extends z.ZodType>(schema: S, bytes: Uint8Array): z.output<S> {
  if (bytes.length > largestRequestBytes) {
    throw new TallyError('REQUEST_TOO_LARGE', `expected a request of at most ${largestRequestBytes} bytes, got ${bytes.length}`)
  }
  const parsed = schema.safeParse(parseJson(bytes), {reportInput: true})
  if (parsed.success) return parsed.data
  const found = describeIssues(parsed.error)
  const issues = found.length > mostIssues ? [...found.slice(0, mostIssues), `and ${found.length - mostIssues} more`] : found
  throw new TallyError('INVALID_REQUEST', issues.join('; '), {details: {issues}})
}

export function encodeJson(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value))
}

/** Unprintable characters are dropped, and the rest cut at 128: it becomes part of the ledger. */
export function readOrigin(message: Pick<Msg, 'headers'>): RequestOrigin {
  const clean = (text: string | undefined) => (text ?? '').replace(/[^\x20-\x7e]/g, '').slice(0, 128)
  return {
    actor: clean(message.headers?.get(actorHeader)) || 'anonymous',
    correlationId: clean(message.headers?.get(correlationHeader)) || undefined,
    ...(Number(message.headers?.get(attemptHeader)) > 1 && {isRetry: true}),
  }
}

export function toErrorReply(body: ErrorBody): {readonly payload: Uint8Array; readonly headers: MsgHdrs} {
  const reply = headers()
  // A header is one line.
  reply.set(errorHeader, body.message.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 512))
  reply.set(errorCodeHeader, String(errorKinds[body.kind]))
  return {payload: encodeError(body), headers: reply}
}

/** A longer error is cut: it has to fit into a message. */
function encodeError(body: ErrorBody): Uint8Array {
  const whole = encodeJson(body)
  if (whole.length <= largestErrorBytes) return whole
  return encodeJson({...body, message: `${body.message.slice(0, longestMessage)} (cut)`, details: {}})
}

export interface RequestOptions<S extends z.ZodType> {
  readonly schema: S
  readonly timeoutMs: number
  readonly origin?: RequestOrigin
}

/**
 * Sends a request, and parses its reply.
 * @returns undefined when nobody listens on the subject
 * @throws TallyError that of an error reply; TIMED_OUT, REQUEST_TOO_LARGE, NATS_UNREACHABLE
 */
export async function requestJson<S extends z.ZodType>(
  connection: NatsConnection,
  subject: string,
  request: unknown,
  {schema, timeoutMs, origin}: RequestOptions<S>,
): Promise<z.output<S> | undefined> {
  const payload = encodeJson(request)
  if (payload.length > largestRequestBytes) {
    throw new TallyError('REQUEST_TOO_LARGE', `expected a request of at most ${largestRequestBytes} bytes, got ${payload.length}`)
  }
  return await requestRaw(connection, subject, payload, {schema, timeoutMs, headers: toOriginHeaders(origin)})
}

/** As {@link requestJson}, with a payload that is not JSON. */
export async function requestRaw<S extends z.ZodType>(
  connection: NatsConnection,
  subject: string,
  payload: Uint8Array,
  {schema, timeoutMs, headers}: {readonly schema: S; readonly timeoutMs: number; readonly headers: MsgHdrs},
): Promise<z.output<S> | undefined> {
  const reply = await requestGathered(connection, subject, payload, {timeoutMs, headers})
  if (reply === undefined) return undefined
  const value = parseJson(reply.data)
  if (reply.headers?.has(errorHeader))
    throw isErrorBody(value) ? fromFailure(value) : new TallyError('INTERNAL', reply.headers.get(errorHeader))
  return schema.parse(value)
}

function toOriginHeaders(origin: RequestOrigin | undefined): MsgHdrs {
  const result = headers()
  if (origin) result.set(actorHeader, origin.actor)
  if (origin?.correlationId) result.set(correlationHeader, origin.correlationId)
  if (origin?.isRetry) result.set(attemptHeader, '2')
  return result
}

function parseJson(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return {}
  try {
    return JSON.parse(new TextDecoder('utf-8', {fatal: true}).decode(bytes))
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new TallyError('INVALID_REQUEST', `expected JSON in UTF-8: ${why}`, {cause})
  }
}

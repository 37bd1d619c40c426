/** Requests to the node that served the page. A schema parses each response. */
import * as z from 'zod'
import {type Failure, failureSchema} from '../../../../machines/ledger/events.ts'

/** An error of the node, or no response at all. */
export class ApiError extends Error {
  /** The HTTP status; 0 when there was no response. */
  readonly status: number
  readonly failure: Failure

  constructor(status: number, failure: Failure) {
    super(failure.message)
    this.name = 'ApiError'
    this.status = status
    this.failure = failure
  }
}

/** @throws ApiError */
export async function getJson<S extends z.ZodType>(path: string, schema: S, signal?: AbortSignal): Promise<z.output<S>> {
  return parse(await request(path, {...(signal && {signal})}), schema)
}

/** @throws ApiError */
export async function postJson<S extends z.ZodType>(path: string, body: unknown, schema: S): Promise<z.output<S>> {
  return parse(await request(path, {method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify(body)}), schema)
}

export function toFailure(error: unknown): Failure {
  if (error instanceof ApiError) return error.failure
  return {code: 'INTERNAL', kind: 'bug', message: error instanceof Error ? error.message : String(error), details: {}}
}

export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404
}

export function isSignedOut(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401
}

async function request(path: string, init: RequestInit): Promise<unknown> {
  let response: Response
  try {
    response = await fetch(path, {...init, credentials: 'same-origin'})
  } catch (cause) {
    if (init.signal?.aborted) throw cause
    throw new ApiError(0, {code: 'UNREACHABLE', kind: 'unavailable', message: 'The node does not respond.', details: {}})
  }
  const body: unknown = await response.json().catch(() => undefined)
  if (response.ok) return body
  const error = failureSchema.safeParse(body)
  const unnamed = {
    code: `HTTP_${response.status}`,
    kind: 'bug',
    message: `The node responded with HTTP status ${response.status}.`,
    details: {},
  }
  throw new ApiError(response.status, error.success ? error.data : unnamed)
}

function parse<S extends z.ZodType>(body: unknown, schema: S): z.output<S> {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  throw new ApiError(0, {code: 'INTERNAL', kind: 'bug', message: z.prettifyError(parsed.error), details: {}})
}

/** Requests to the node that served the page. What comes back is unknown until its schema has parsed it. */
import * as z from 'zod'

const errorSchema = z.object({
  code: z.string(),
  kind: z.string(),
  message: z.string(),
  details: z.record(z.string(), z.unknown()).default({}),
})
export type ApiFailure = z.infer<typeof errorSchema>

/** An answer that is an error of the table, or none at all. */
export class ApiError extends Error {
  /** 0 when there was no answer. */
  readonly status: number
  readonly failure: ApiFailure

  constructor(status: number, failure: ApiFailure) {
    super(failure.message)
    this.name = 'ApiError'
    this.status = status
    this.failure = failure
  }
}

/** @throws ApiError */
export async function getJson<S extends z.ZodType>(path: string, schema: S, signal?: AbortSignal): Promise<z.output<S>> {
  return parse(await ask(path, {...(signal && {signal})}), schema)
}

/** @throws ApiError */
export async function postJson<S extends z.ZodType>(path: string, body: unknown, schema: S): Promise<z.output<S>> {
  return parse(await ask(path, {method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify(body)}), schema)
}

export function toFailure(error: unknown): ApiFailure {
  if (error instanceof ApiError) return error.failure
  return {code: 'INTERNAL', kind: 'bug', message: error instanceof Error ? error.message : String(error), details: {}}
}

export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404
}

export function isSignedOut(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401
}

async function ask(path: string, init: RequestInit): Promise<unknown> {
  let response: Response
  try {
    response = await fetch(path, {...init, credentials: 'same-origin'})
  } catch (cause) {
    if (init.signal?.aborted) throw cause
    throw new ApiError(0, {code: 'UNREACHABLE', kind: 'unavailable', message: 'The node does not answer.', details: {}})
  }
  const body: unknown = await response.json().catch(() => undefined)
  if (response.ok) return body
  const error = errorSchema.safeParse(body)
  const unnamed = {code: `HTTP_${response.status}`, kind: 'bug', message: `The node answered ${response.status}.`, details: {}}
  throw new ApiError(response.status, error.success ? error.data : unnamed)
}

function parse<S extends z.ZodType>(body: unknown, schema: S): z.output<S> {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  throw new ApiError(0, {code: 'INTERNAL', kind: 'bug', message: z.prettifyError(parsed.error), details: {}})
}

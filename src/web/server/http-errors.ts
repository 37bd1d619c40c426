/** Errors as HTTP responses: the body of every error reply, and a status by its kind. */
import {type ErrorBody, type ErrorCode, type ErrorKind, toErrorBody} from '../../kernel/errors.ts'

/** Statuses that browsers, proxies and libraries know; the body tells more. */
export type HttpStatus = 400 | 401 | 403 | 404 | 409 | 500 | 503 | 504

const statuses: Readonly<Record<ErrorKind, HttpStatus>> = {
  invalid: 400,
  not_found: 404,
  already_exists: 409,
  precondition: 409,
  conflict: 409,
  timeout: 504,
  unavailable: 503,
  cancelled: 503,
  bug: 500,
}

const ofCode: Readonly<Partial<Record<ErrorCode, HttpStatus>>> = {SESSION_INVALID: 401, ORIGIN_REFUSED: 403}

export function toHttpError(error: unknown): {readonly status: HttpStatus; readonly body: ErrorBody} {
  const body = toErrorBody(error)
  return {status: ofCode[body.code] ?? statuses[body.kind], body}
}

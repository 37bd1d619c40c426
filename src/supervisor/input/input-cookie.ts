/**
 * How much of each client's input the shim has accepted, as it keeps it for the next supervisor: put down in one step with the bytes, so
 * that it is never behind them and never before them.
 */
import {createHash} from 'node:crypto'
import * as z from 'zod'

/** Tells one client's session from another's, in few bytes. */
export type SessionKey = string

/** The sessions that sent something last, oldest first: bytes that were accepted of each. */
export type AcceptedInput = readonly (readonly [SessionKey, number])[]

/** So many are recorded: they fit into a cookie. */
export const mostRecordedSessions = 16
const keyBytes = 12

const schema = z.array(z.tuple([z.string(), z.int().nonnegative()]))

export function toSessionKey(name: string): SessionKey {
  return createHash('sha256').update(name).digest().subarray(0, keyBytes).toString('base64url')
}

export function encodeInputCookie(accepted: AcceptedInput): Uint8Array {
  return Buffer.from(JSON.stringify(accepted.slice(-mostRecordedSessions)))
}

/** @returns nothing when there is no input yet */
export function decodeInputCookie(cookie: Uint8Array): AcceptedInput {
  return cookie.length === 0 ? [] : schema.parse(JSON.parse(Buffer.from(cookie).toString()))
}

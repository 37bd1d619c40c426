/** The errors of the client library, Node.js and OpenSSL when a connection to NATS cannot be made, as errors of the table. */
import {ErrorCode, NatsError} from 'nats'
import * as z from 'zod'
import {TallyError} from '../kernel/errors.ts'
import {withoutPassword} from './servers.ts'

const authCodes: ReadonlySet<string> = new Set([
  ErrorCode.AuthorizationViolation,
  ErrorCode.AuthenticationExpired,
  ErrorCode.PermissionsViolation,
])

const unknownAuthority = 'its certificate is signed by an authority that is not known here; --tls-ca FILE names that one'
const tlsReasons: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownAuthority,
  CERT_SIGNATURE_FAILURE: unknownAuthority,
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet; the clock here may be wrong',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not begin with TLS; without --tls-first it is let speak first',
}

/** OpenSSL's codes for an alert of the server. nats-server 2.9 sends the first for a missing certificate as well as for an unknown one. */
const certificateAlert = /_ALERT_(BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_\w+|UNKNOWN_CA|HANDSHAKE_FAILURE|ACCESS_DENIED)$/

export interface Attempted {
  readonly url: string
  /** Whether a client certificate was given. */
  readonly hasCertificate: boolean
}

/** The server closed the connection because it was not authenticated within two seconds: one of the two was too busy. */
export function isTooSlow(cause: unknown): boolean {
  if (cause instanceof NatsError && cause.code === ErrorCode.AuthenticationTimeout) return true
  return cause instanceof Error && /EPIPE|ECONNRESET/.test(cause.message)
}

export function toConnectError(cause: unknown, {url, hasCertificate}: Attempted): TallyError {
  if (cause instanceof TallyError) return cause
  const shown = withoutPassword(url)
  const options = {details: {url: shown}, cause}
  if (cause instanceof NatsError && authCodes.has(cause.code))
    return new TallyError('NATS_AUTH_FAILED', `the NATS server at ${shown} refused the credentials`, options)
  const tls = toTlsReason(cause, hasCertificate)
  if (tls !== undefined) return new TallyError('NATS_TLS_FAILED', `no TLS with the NATS server at ${shown}: ${tls}`, options)
  return new TallyError('NATS_UNREACHABLE', `no NATS server answers at ${shown} (${toReason(cause)})`, options)
}

/** Of several servers, one that is only unreachable may come back: its error is the one to report. */
export function joinConnectErrors(errors: readonly TallyError[]): TallyError {
  const [first] = errors
  if (first === undefined) return new TallyError('INTERNAL', 'expected a NATS server to connect to')
  if (errors.length === 1) return first
  const {code, details} = errors.find((error) => error.code === 'NATS_UNREACHABLE') ?? first
  return new TallyError(code, errors.map(({message}) => message).join('; '), {details, cause: new AggregateError(errors)})
}

function toTlsReason(cause: unknown, hasCertificate: boolean): string | undefined {
  if (cause instanceof NatsError && cause.code === ErrorCode.ServerOptionNotAvailable) return 'it does not offer it'
  const code = readCode(cause)
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `its certificate is for another server: ${readNames(cause)}`
  if (certificateAlert.test(code))
    return hasCertificate
      ? 'it does not accept the certificate of --tls-cert'
      : 'it wants a client certificate: --tls-cert FILE and --tls-key FILE'
  return tlsReasons[code] ?? (/^ERR_(SSL|TLS|OSSL)_/.test(code) ? code : undefined)
}

/** Node.js lists no names when it has checked an address. */
function readNames(cause: unknown): string {
  const schema = z.object({cert: z.object({subjectaltname: z.string()})})
  return schema.safeParse(cause).data?.cert.subjectaltname ?? toReason(cause)
}

function toReason(cause: unknown): string {
  if (cause instanceof NatsError) {
    // What the library calls refused was usually closed by a server that waits for a handshake, or that is not a NATS server.
    const isClosed = cause.code === ErrorCode.ConnectionRefused && !/ECONNREFUSED/.test(readCode(cause.chainedError))
    if (cause.code === ErrorCode.Timeout) return 'it did not answer in time'
    return isClosed ? 'it closed the connection and said nothing; it may want the TLS handshake first: --tls-first' : cause.code
  }
  return cause instanceof Error ? cause.message : String(cause)
}

function readCode(cause: unknown): string {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
}

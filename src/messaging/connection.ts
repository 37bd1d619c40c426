/** One connection to NATS, and the file that tells everybody on this machine how to make it. */
import {mkdir, readFile, rename, writeFile} from 'node:fs/promises'
import {dirname} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {type ConnectionOptions, connect, credsAuthenticator, ErrorCode, type NatsConnection, NatsError} from 'nats'
import * as z from 'zod'
import {idSchema} from '../../machines/ids.ts'
import {TallyError} from '../kernel/errors.ts'

export const credentialsSchema = z.discriminatedUnion('type', [
  z.object({type: z.literal('none')}),
  z.object({type: z.literal('user'), user: z.string(), password: z.string()}),
  z.object({type: z.literal('token'), token: z.string()}),
  /** A .creds file: JWT and nkey seed. */
  z.object({type: z.literal('creds'), file: z.string()}),
])
export type Credentials = z.infer<typeof credentialsSchema>

/** `connection.json` in the run directory, 0600: whoever can read it is root on this node. */
export const connectionSchema = z.object({url: z.string(), credentials: credentialsSchema, node: idSchema, prefix: z.string()})
export type Connection = z.infer<typeof connectionSchema>

/** A machine that starts a hundred things at once takes its time; a server that is not there refuses at once. */
const connectPatienceMs = 20_000
const connectTries = 8
const connectRetryMs = 250

export interface ConnectOptions {
  readonly url: string
  readonly credentials: Credentials
  /** Shown by the server's monitoring. */
  readonly name: string
}

/**
 * Connects once and never again by itself: see NatsLink for a connection that comes back.
 * @throws TallyError NATS_UNREACHABLE, NATS_AUTH_FAILED
 */
export async function connectNats({url, credentials, name}: ConnectOptions): Promise<NatsConnection> {
  const options: ConnectionOptions = {
    servers: url,
    name,
    reconnect: false,
    timeout: connectPatienceMs,
    // A server that hangs is noticed in 15 s, not in the default 4 minutes.
    pingInterval: 5_000,
    maxPingOut: 2,
    ...(await toAuthentication(credentials)),
  }
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await connect(options)
    } catch (cause) {
      if (!isTooSlow(cause) || attempt === connectTries) throw toConnectError(cause, url)
      await sleep(connectRetryMs)
    }
  }
}

/** The server hung up because we did not authenticate within its two seconds: it, or we, had too much to do. */
function isTooSlow(cause: unknown): boolean {
  if (cause instanceof NatsError && cause.code === ErrorCode.AuthenticationTimeout) return true
  return cause instanceof Error && /EPIPE|ECONNRESET/.test(cause.message)
}

export async function readConnection(file: string): Promise<Connection | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const invalid = (why: string) => new TallyError('STATE_DIR_INVALID', `${file} is not a connection file: ${why}`, {details: {file}})
  const connection = connectionSchema.safeParse(parseJson(text, invalid))
  if (!connection.success) throw invalid(z.prettifyError(connection.error).replaceAll('\n', ' '))
  return connection.data
}

function parseJson(text: string, toError: (why: string) => TallyError): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw toError(cause instanceof Error ? cause.message : String(cause))
  }
}

/** Replaces the file at once, so that nobody reads half of it. */
export async function writeConnection(file: string, connection: Connection): Promise<void> {
  await mkdir(dirname(file), {recursive: true, mode: 0o700})
  await writeFile(`${file}.new`, `${JSON.stringify(connection, undefined, 2)}\n`, {mode: 0o600})
  await rename(`${file}.new`, file)
}

async function toAuthentication(credentials: Credentials): Promise<ConnectionOptions> {
  switch (credentials.type) {
    case 'none':
      return {}
    case 'user':
      return {user: credentials.user, pass: credentials.password}
    case 'token':
      return {token: credentials.token}
    case 'creds': {
      const bytes = await readFile(credentials.file).catch((cause: unknown) => {
        throw new TallyError('NATS_AUTH_FAILED', `cannot read the credentials file ${credentials.file}`, {cause})
      })
      return {authenticator: credsAuthenticator(bytes)}
    }
  }
}

const authCodes: ReadonlySet<string> = new Set([
  ErrorCode.AuthorizationViolation,
  ErrorCode.AuthenticationExpired,
  ErrorCode.PermissionsViolation,
])

function toConnectError(cause: unknown, url: string): TallyError {
  const shown = withoutPassword(url)
  if (cause instanceof NatsError && authCodes.has(cause.code)) {
    return new TallyError('NATS_AUTH_FAILED', `the NATS server at ${shown} refused the credentials`, {details: {url: shown}, cause})
  }
  const why = cause instanceof NatsError ? cause.code : cause instanceof Error ? cause.message : String(cause)
  return new TallyError('NATS_UNREACHABLE', `no NATS server answers at ${shown} (${why})`, {details: {url: shown}, cause})
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//')
}

/** One connection to NATS, and the file that tells everybody on this machine how to make it. */
import {mkdir, readFile, rename, writeFile} from 'node:fs/promises'
import {dirname} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {type ConnectionOptions, connect, type NatsConnection} from 'nats'
import * as z from 'zod'
import {idSchema} from '../../machines/ledger/ids.ts'
import {TallyError} from '../kernel/errors.ts'
import {toAuthentication} from './authentication.ts'
import {isTooSlow, joinConnectErrors, toConnectError} from './connect-error.ts'
import {demandsTls, listServers, type NatsAccess, natsAccessSchema, toCertificateNames} from './servers.ts'
import {withoutStraySockets} from './stray-sockets.ts'
import {toTlsOptions} from './tls.ts'

export {type Credentials, credentialsSchema} from './authentication.ts'

/**
 * `connection.json` in the run directory, 0600: whoever can read it is root on this node. Processes of former versions read it as well: they
 * know `url` alone of the servers.
 */
export const connectionSchema = z.object({...natsAccessSchema.shape, node: idSchema, prefix: z.string()})
export type Connection = z.infer<typeof connectionSchema>

/** A machine that starts a hundred things at once takes its time; a server that is not there refuses at once. */
const connectPatienceMs = 20_000
/** One of several that hangs, or whose machine is gone, must not keep us from the next. */
const nextPatienceMs = 5_000
const connectTries = 8
const connectRetryMs = 250

export interface ConnectOptions extends NatsAccess {
  /** Shown by the server's monitoring. */
  readonly name: string
  /** For each server: 20 s, or 5 s when there are others, unless told. */
  readonly patienceMs?: number
}

/**
 * Connects once and never again by itself, to the first of the servers that will have us: see NatsLink for a connection that comes back.
 * MUST hold: where TLS is demanded, nothing is sent before the handshake; achieved by the library, which is given TLS options: it then
 * refuses a server that offers none (the scheme alone it ignores).
 * @throws TallyError NATS_UNREACHABLE, NATS_AUTH_FAILED, NATS_TLS_FAILED; INVALID_ARGUMENT when a URL is none that can be spoken
 */
export async function connectNats(options: ConnectOptions): Promise<NatsConnection> {
  return (await connectToAny(options)).connection
}

/** The same, telling which server it is. */
export async function connectToAny(options: ConnectOptions): Promise<{readonly connection: NatsConnection; readonly server: string}> {
  const servers = listServers(options)
  const failures: TallyError[] = []
  for (const server of servers) {
    try {
      return {connection: await connectTo(server, servers, options), server}
    } catch (error) {
      failures.push(toConnectError(error, {url: server, hasCertificate: options.tls?.cert !== undefined}))
    }
  }
  throw joinConnectErrors(failures)
}

async function connectTo(server: string, all: readonly string[], access: ConnectOptions): Promise<NatsConnection> {
  const options: ConnectionOptions = {
    servers: server,
    name: access.name,
    reconnect: false,
    timeout: access.patienceMs ?? (all.length > 1 ? nextPatienceMs : connectPatienceMs),
    // A server that hangs is noticed in 15 s, not in the default 4 minutes.
    pingInterval: 5_000,
    maxPingOut: 2,
    ...(await toAuthentication(access.credentials)),
    ...(demandsTls(access) && {tls: await toTlsOptions(access.tls ?? {}, toCertificateNames(server, all))}),
  }
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await withoutStraySockets(() => connect(options))
    } catch (cause) {
      if (!isTooSlow(cause) || attempt === connectTries) throw cause
      await sleep(connectRetryMs)
    }
  }
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

/** One connection to NATS, and the file from which programs on this machine learn how to connect. */
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
 * `connection.json` in the run directory, 0600: a program that can read it may act as root on this node. Processes of earlier versions
 * read it as well, and know only `url` of the servers.
 */
export const connectionSchema = z.object({...natsAccessSchema.shape, node: idSchema, prefix: z.string()})
export type Connection = z.infer<typeof connectionSchema>

/** A busy machine may be slow to connect; where no server listens, the connection is refused at once. */
const connectPatienceMs = 20_000
/** One of several servers that hangs, or whose machine is gone, must not delay the next attempt. */
const nextPatienceMs = 5_000
const connectTries = 8
const connectRetryMs = 250

export interface ConnectOptions extends NatsAccess {
  /** Shown by the server's monitoring. */
  readonly name: string
  /** For each server. Default: 20 s, or 5 s when there are others. */
  readonly patienceMs?: number
}

/**
 * Connects once, to the first server that accepts the connection, and never reconnects: see NatsLink for a connection that does.
 * MUST hold: where TLS is demanded, nothing is sent before the handshake; achieved by passing TLS options to the library: it then refuses
 * a server that offers none (it ignores the scheme alone).
 * @throws TallyError NATS_UNREACHABLE, NATS_AUTH_FAILED, NATS_TLS_FAILED; INVALID_ARGUMENT when the scheme of a URL is not supported
 */
export async function connectNats(options: ConnectOptions): Promise<NatsConnection> {
  return (await connectToAny(options)).connection
}

/** As `connectNats`, with the server that it is. */
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
    // A server that hangs is noticed after 15 s, instead of the default 4 minutes.
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

/** Replaces the file in one step, so that half of it is never read. */
export async function writeConnection(file: string, connection: Connection): Promise<void> {
  await mkdir(dirname(file), {recursive: true, mode: 0o700})
  await writeFile(`${file}.new`, `${JSON.stringify(connection, undefined, 2)}\n`, {mode: 0o600})
  await rename(`${file}.new`, file)
}

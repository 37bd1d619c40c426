/** The addresses of NATS servers, and whether they demand TLS. */
import {isIP} from 'node:net'
import * as z from 'zod'
import {TallyError} from '../kernel/errors.ts'
import {credentialsSchema} from './authentication.ts'

/** Files in PEM, with absolute paths. */
export const tlsSchema = z.object({
  /** Of the authorities that may have signed the server's certificate; those that Node.js has when absent. */
  ca: z.string().optional(),
  /** Our own certificate and its key. */
  cert: z.string().optional(),
  key: z.string().optional(),
  /** Begin with the TLS handshake, before the server says anything. */
  first: z.boolean().optional(),
})
export type TlsFiles = z.infer<typeof tlsSchema>

/** How to reach NATS: one server, or the servers of a cluster. */
export const natsAccessSchema = z.object({
  url: z.string(),
  credentials: credentialsSchema,
  /** All that are known, `url` among them; absent when there is but one. */
  servers: z.array(z.string()).optional(),
  /** TLS is demanded when it is there, whatever the URLs say. */
  tls: tlsSchema.optional(),
})
export type NatsAccess = z.infer<typeof natsAccessSchema>

/** Each once, the first to be tried first. @throws TallyError INVALID_ARGUMENT */
export function listServers({url, servers = []}: Pick<NatsAccess, 'url' | 'servers'>): readonly string[] {
  const all = [...new Set([url, ...servers])]
  for (const server of all) checkScheme(server)
  return all
}

/** One `tls://` among several stands for all: the next server gets the same password. */
export function demandsTls({url, servers = [], tls}: Pick<NatsAccess, 'url' | 'servers' | 'tls'>): boolean {
  return tls !== undefined || [url, ...servers].some((server) => toScheme(server) === 'tls')
}

/** As the cluster tells its clients, `host:port`. */
export function toLearntServers(addresses: readonly string[], access: Pick<NatsAccess, 'url' | 'servers' | 'tls'>): readonly string[] {
  const scheme = demandsTls(access) ? 'tls' : 'nats'
  return addresses.map((address) => `${scheme}://${address}`)
}

/**
 * What the certificate of a server may be made out to: its host; and where that is an address, as a cluster tells of its members, any
 * name that we were given for a server of the cluster.
 */
export function toCertificateNames(server: string, all: readonly string[]): readonly string[] {
  const host = toHost(server)
  return isIP(host) === 0 ? [host] : [host, ...all.map(toHost).filter((other) => isIP(other) === 0)]
}

export function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//')
}

export function checkScheme(server: string): void {
  const scheme = toScheme(server)
  if (scheme === 'nats' || scheme === 'tls') return
  const why = scheme === 'ws' || scheme === 'wss' ? ': NATS over WebSocket is not spoken here' : ''
  throw new TallyError('INVALID_ARGUMENT', `expected the NATS server ${withoutPassword(server)} to begin with nats:// or tls://${why}`)
}

function toScheme(server: string): string {
  return /^([a-z][a-z0-9+.-]*):\/\//i.exec(server)?.[1]?.toLowerCase() ?? 'nats'
}

function toHost(server: string): string {
  const {hostname = ''} = URL.parse(server.includes('://') ? server : `nats://${server}`) ?? {}
  return hostname.replace(/^\[|\]$/g, '')
}

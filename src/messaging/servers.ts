/** The addresses of NATS servers, and whether they demand TLS. */
import {isIP} from 'node:net'
import * as z from 'zod'
import {TallyError} from '../kernel/errors.ts'
import {credentialsSchema} from './authentication.ts'

/** Files in PEM format, with absolute paths. */
export const tlsSchema = z.object({
  /** Certificates of the authorities that may have signed the server's; those of Node.js when absent. */
  ca: z.string().optional(),
  /** The client's certificate and key. */
  cert: z.string().optional(),
  key: z.string().optional(),
  /** Begin with the TLS handshake, before the server sends its greeting. */
  first: z.boolean().optional(),
})
export type TlsFiles = z.infer<typeof tlsSchema>

/** How to reach NATS: one server, or the servers of a cluster. */
export const natsAccessSchema = z.object({
  url: z.string(),
  credentials: credentialsSchema,
  /** All known servers, including `url`; absent when there is only one. */
  servers: z.array(z.string()).optional(),
  /** TLS is demanded when it is there, whatever the URLs say. */
  tls: tlsSchema.optional(),
})
export type NatsAccess = z.infer<typeof natsAccessSchema>

/** Each once, in the order in which they are tried. @throws TallyError INVALID_ARGUMENT */
export function listServers({url, servers = []}: Pick<NatsAccess, 'url' | 'servers'>): readonly string[] {
  const all = [...new Set([url, ...servers])]
  for (const server of all) checkScheme(server)
  return all
}

/** One `tls://` among several URLs demands TLS of all: each server gets the same password. */
export function demandsTls({url, servers = [], tls}: Pick<NatsAccess, 'url' | 'servers' | 'tls'>): boolean {
  return tls !== undefined || [url, ...servers].some((server) => toScheme(server) === 'tls')
}

/** As a cluster announces them to its clients: `host:port`. */
export function toLearntServers(addresses: readonly string[], access: Pick<NatsAccess, 'url' | 'servers' | 'tls'>): readonly string[] {
  const scheme = demandsTls(access) ? 'tls' : 'nats'
  return addresses.map((address) => `${scheme}://${address}`)
}

/**
 * The names that the certificate of a server may have: its host; where that is an IP address, as a cluster announces its members, also any
 * name that was given for a server of the cluster.
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

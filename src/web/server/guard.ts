/**
 * Refuses requests that a page of another site makes a browser send, be it directly or, by DNS rebinding, under its own name. MUST hold:
 * neither gets anything; achieved by demanding that Host is an address of this machine, and Origin a page of this node.
 */
import type {IncomingHttpHeaders} from 'node:http'
import {isIP} from 'node:net'
import {TallyError} from '../../kernel/errors.ts'

/**
 * The port is not checked: it may be forwarded.
 * @returns the checked value
 * @throws TallyError ORIGIN_REFUSED unless Host names the address that was connected to
 */
export function checkHost({host}: IncomingHttpHeaders, localAddress: string | undefined): string {
  const name = toHostname(host)
  if (host === undefined || name === undefined || !isNameOf(name, localAddress?.replace(/^::ffff:/, '') ?? ''))
    throw new TallyError('ORIGIN_REFUSED', `expected Host to be the address of this server, got ${JSON.stringify(host ?? null)}`)
  return host
}

/** For every request that changes something. @throws TallyError ORIGIN_REFUSED unless a page of this node sent it */
export function checkOrigin({origin, host}: IncomingHttpHeaders): void {
  if (origin === undefined || origin !== `http://${host}`)
    throw new TallyError('ORIGIN_REFUSED', `expected Origin http://${host}, got ${JSON.stringify(origin ?? null)}`)
}

/** @throws TallyError ORIGIN_REFUSED when the browser says that a page of another origin sent it, even if that page could not read the response */
export function checkFetchSite(headers: IncomingHttpHeaders): void {
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    throw new TallyError('ORIGIN_REFUSED', `expected a request of the same origin, got ${JSON.stringify(site)}`)
}

function toHostname(host: string | undefined): string | undefined {
  if (host === undefined || !/^[\w.:[\]-]+$/.test(host)) return undefined
  return URL.parse(`http://${host}`)?.hostname
}

function isNameOf(hostname: string, address: string): boolean {
  if (isLoopback(address)) return hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && isLoopback(hostname))
  return hostname === (isIP(address) === 6 ? `[${address}]` : address)
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^127\./.test(address)
}

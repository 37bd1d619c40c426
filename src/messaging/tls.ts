/** TLS for a connection to NATS: options of the client library and of Node.js. */
import {readFile} from 'node:fs/promises'
import {isIP} from 'node:net'
import {createSecureContext, checkServerIdentity as isFor, type PeerCertificate} from 'node:tls'
import type {TlsOptions} from 'nats'
import {TallyError} from '../kernel/errors.ts'
import type {TlsFiles} from './servers.ts'

/** The library passes options that it does not know on to Node.js. */
interface NodeTlsOptions extends TlsOptions {
  readonly servername: string
  readonly checkServerIdentity: (host: string, certificate: PeerCertificate) => Error | undefined
}

/**
 * @param names that the server's certificate may have, its host first; where that is an IP address, the library itself would check for
 *   `localhost`
 * @throws TallyError NATS_TLS_FAILED when a file cannot be used
 */
export async function toTlsOptions({ca, cert, key, first}: TlsFiles, names: readonly string[]): Promise<NodeTlsOptions> {
  const files = {
    ...(ca !== undefined && {ca: await readPem(ca)}),
    ...(cert !== undefined && {cert: await readPem(cert)}),
    ...(key !== undefined && {key: await readPem(key)}),
  }
  checkFiles(files, {ca, cert, key})
  return {
    ...files,
    ...(first && {handshakeFirst: true}),
    servername: names.find((name) => isIP(name) === 0) ?? '',
    checkServerIdentity: (_host, certificate) => {
      const problems = names.map((name) => isFor(name, certificate))
      return problems.includes(undefined) ? undefined : problems[0]
    },
  }
}

async function readPem(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new TallyError('NATS_TLS_FAILED', `cannot read ${path}`, {cause})
  })
}

function checkFiles(files: {readonly ca?: string; readonly cert?: string; readonly key?: string}, paths: TlsFiles): void {
  const given = [paths.ca, paths.cert, paths.key].filter((path) => path !== undefined).join(', ')
  try {
    createSecureContext(files)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.replace(/^error:[0-9A-F]*:/, '') : String(cause)
    throw new TallyError('NATS_TLS_FAILED', `expected certificates in PEM, and a key that belongs to ours, in ${given}: ${why}`, {cause})
  }
  if (files.ca !== undefined && !files.ca.includes('-----BEGIN CERTIFICATE-----'))
    throw new TallyError('NATS_TLS_FAILED', `expected a certificate in PEM in ${paths.ca}`)
}

/** How to reach NATS: options of the command line, of the environment and of a context of the `nats` tool, combined. */
import {resolve} from 'node:path'
import {TallyError} from '../kernel/errors.ts'
import type {Credentials} from '../messaging/authentication.ts'
import {checkScheme, type NatsAccess, type TlsFiles, withoutPassword} from '../messaging/servers.ts'
import {readNatsContext} from './nats-context.ts'

export type ReadOption = (name: string) => string | undefined

/** One way to authenticate excludes the others. */
const authentications = ['creds', 'nkey', 'token', 'user'] as const
const flags: Readonly<Record<string, string>> = {tlsCa: 'tls-ca', tlsCert: 'tls-cert', tlsKey: 'tls-key', tlsFirst: 'tls-first'}
const toFlag = (name: string) => `--${flags[name] ?? name}`

/**
 * @returns undefined without a server: then the connection file of the node names it
 * @throws TallyError INVALID_ARGUMENT
 */
export function toNatsAccess(read: ReadOption, environment: NodeJS.ProcessEnv): NatsAccess | undefined {
  const context = read('natsContext')
  if (context !== undefined && read('nats') !== undefined)
    throw new TallyError('INVALID_ARGUMENT', 'expected --nats or --nats-context (or TALLY_NATS, TALLY_NATS_CONTEXT), got both')
  const settings = context === undefined ? read : over(read, readNatsContext(context, environment))
  const urls = settings('nats')
  const given = authentications.filter((name) => settings(name) !== undefined)
  if (given.length > 1) throw new TallyError('INVALID_ARGUMENT', `expected one way to authenticate, got ${given.map(toFlag).join(' and ')}`)
  const tls = toTls(settings)
  if (urls === undefined) {
    const [stray] = [...given, ...Object.keys(flags).filter((name) => settings(name) !== undefined)]
    if (stray !== undefined)
      throw new TallyError('INVALID_ARGUMENT', `expected --nats with ${toFlag(stray)}: the embedded server has credentials of its own`)
    return undefined
  }
  const servers = urls.split(',').map((url) => splitUrl(url.trim()))
  const [first] = servers
  if (!first) throw new TallyError('INVALID_ARGUMENT', 'expected --nats to name a server')
  return {
    url: first.address,
    credentials: toCredentials(settings) ?? servers.find(({inUrl}) => inUrl.type !== 'none')?.inUrl ?? first.inUrl,
    ...(servers.length > 1 && {servers: servers.map(({address}) => address)}),
    ...(tls && {tls}),
  }
}

/** Options replace values of the context. A way to authenticate replaces that of the context as a whole. */
function over(read: ReadOption, context: Readonly<Record<string, string>>): ReadOption {
  const isAuthenticated = authentications.some((name) => read(name) !== undefined)
  const isReplaced = (name: string) => isAuthenticated && (name === 'password' || authentications.some((other) => other === name))
  return (name) => read(name) ?? (isReplaced(name) ? undefined : context[name])
}

function toCredentials(read: ReadOption): Credentials | undefined {
  const [creds, nkey, token, user] = authentications.map(read)
  if (creds !== undefined) return {type: 'creds', file: resolve(creds)}
  if (nkey !== undefined) return {type: 'nkey', file: resolve(nkey)}
  if (token !== undefined) return {type: 'token', token}
  if (user !== undefined) return {type: 'user', user, password: read('password') ?? ''}
  return undefined
}

function toTls(read: ReadOption): TlsFiles | undefined {
  const [ca, cert, key] = ['tlsCa', 'tlsCert', 'tlsKey'].map((name) => read(name)).map((path) => path && resolve(path))
  if (Boolean(cert) !== Boolean(key))
    throw new TallyError('INVALID_ARGUMENT', `expected --tls-cert and --tls-key together, got ${cert ? '--tls-cert' : '--tls-key'} alone`)
  const first = readSwitch(read('tlsFirst'))
  if (!ca && !cert && !first) return undefined
  return {...(ca && {ca}), ...(cert && {cert}), ...(key && {key}), ...(first && {first})}
}

function readSwitch(text: string | undefined): boolean {
  if (text === undefined || /^(0|false|no)$/i.test(text)) return false
  if (/^(1|true|yes)$/i.test(text)) return true
  throw new TallyError('INVALID_ARGUMENT', `expected TALLY_TLS_FIRST to be true or false, got ${JSON.stringify(text)}`)
}

/** Takes `nats://user:password@host:4222` and `nats://token@host:4222`, as other NATS tools do. */
function splitUrl(text: string): {readonly address: string; readonly inUrl: Credentials} {
  const url = URL.parse(text.includes('://') ? text : `nats://${text}`)
  if (!url?.hostname) {
    const shown = JSON.stringify(withoutPassword(text))
    throw new TallyError(
      'INVALID_ARGUMENT',
      `expected --nats to be a URL such as nats://127.0.0.1:4222, or several with commas, got ${shown}`,
    )
  }
  const [user, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)]
  const address = `${url.protocol}//${url.host}`
  checkScheme(address)
  if (!user) return {address, inUrl: {type: 'none'}}
  return {address, inUrl: password ? {type: 'user', user, password} : {type: 'token', token: user}}
}

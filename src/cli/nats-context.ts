/** A context of the `nats` tool: a JSON file that says how to reach a server. A context with a field that is not supported is refused. */
import {readFileSync} from 'node:fs'
import {homedir} from 'node:os'
import {join} from 'node:path'
import * as z from 'zod'
import {TallyError} from '../kernel/errors.ts'

const text = z.string().default('')
const contextSchema = z.looseObject({
  url: text,
  user: text,
  password: text,
  creds: text,
  nkey: text,
  token: text,
  cert: text,
  key: text,
  ca: text,
  tls_first: z.boolean().default(false),
})
type NatsContext = z.infer<typeof contextSchema>

/** Fields that change which server is reached, or how. */
const unsupported = [
  'nsc',
  'socks_proxy',
  'user_jwt',
  'user_seed',
  'jetstream_domain',
  'jetstream_api_prefix',
  'jetstream_event_prefix',
  'inbox_prefix',
  'windows_cert_store',
]
const defaultUrl = 'nats://127.0.0.1:4222'

/**
 * @returns options by name, as on the command line
 * @throws TallyError INVALID_ARGUMENT when the context does not exist or needs something that is not supported
 */
export function readNatsContext(name: string, environment: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  const file = toContextFile(name, environment)
  const context = parse(file)
  const stray = unsupported.find((field) => context[field] !== undefined && context[field] !== '')
  if (stray !== undefined) throw invalid(`the context ${file} has ${stray}, which is not supported`)
  const {user, creds, nkey, token} = context
  return {
    nats: context.url || defaultUrl,
    ...toAuthentication(file, {user, creds, nkey, token, password: context.password}),
    ...(context.cert && {tlsCert: toPath(file, context.cert)}),
    ...(context.key && {tlsKey: toPath(file, context.key)}),
    ...(context.ca && {tlsCa: toPath(file, context.ca)}),
    ...(context.tls_first && {tlsFirst: 'true'}),
  }
}

/** In the order of the tool, which uses the first one that is set. */
function toAuthentication(
  file: string,
  {user, password, creds, nkey, token}: Pick<NatsContext, 'user' | 'password' | 'creds' | 'nkey' | 'token'>,
): Readonly<Record<string, string>> {
  if (user) return {user: toPlain(file, user), password: toPlain(file, password)}
  if (creds) return {creds: toPath(file, creds)}
  if (nkey) return {nkey: toPath(file, nkey)}
  return token ? {token: toPlain(file, token)} : {}
}

function toContextFile(name: string, {HOME, XDG_CONFIG_HOME}: NodeJS.ProcessEnv): string {
  if (name === '' || name.includes('/') || name.includes('..')) throw invalid(`expected the name of a context, got ${JSON.stringify(name)}`)
  return join(XDG_CONFIG_HOME || join(HOME || homedir(), '.config'), 'nats/context', `${name}.json`)
}

function parse(file: string): NatsContext {
  try {
    return contextSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') throw invalid(`no such context: expected ${file}`, cause)
    const why = cause instanceof z.ZodError ? z.prettifyError(cause).replaceAll('\n', ' ') : String(cause)
    throw invalid(`${file} is not a context of the nats tool: ${why}`, cause)
  }
}

function toPath(file: string, path: string): string {
  return toPlain(file, path.replace(/^file:\/\//, '')).replace(/^~(?=\/)/, homedir())
}

/** Newer versions of the tool can refer to a secret elsewhere: `op://…`, `env://…`, `data:…`. */
function toPlain(file: string, value: string): string {
  const place = /^([a-z]+:\/\/|data:)/i.exec(value)?.[1]
  if (place !== undefined) throw invalid(`the context ${file} has a value at ${place}, which is not supported`)
  return value
}

function invalid(message: string, cause?: unknown): TallyError {
  return new TallyError('INVALID_ARGUMENT', message, {cause})
}

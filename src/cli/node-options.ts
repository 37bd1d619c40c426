/** Which node, and how to reach it: the options of every verb. A flag has precedence over the environment, and that over the default. */
import {type Command, Option} from 'commander'
import {idRule, isId} from '../../machines/ledger/ids.ts'
import {toRealPath} from '../kernel/real-path.ts'
import {TallyError} from '../kernel/errors.ts'
import type {NatsAccess} from '../messaging/servers.ts'
import {toNatsAccess} from './nats-options.ts'

export interface NodeOptions {
  readonly stateDir: string
  readonly runDir: string
  readonly node: string | undefined
  readonly nats: NatsAccess | undefined
  readonly prefix: string | undefined
  readonly namespace: string
  readonly json: boolean
}

const defaults = {stateDir: '/var/lib/tally', runDir: '/run/tally', namespace: 'default'} as const

interface GlobalOption {
  readonly flags: string
  readonly name: string
  readonly variable?: string
  readonly description: string
}

const globalOptions: readonly GlobalOption[] = [
  {
    flags: '--state-dir <dir>',
    name: 'stateDir',
    variable: 'TALLY_STATE_DIR',
    description: `directory for journals, logs and events (default: ${defaults.stateDir})`,
  },
  {
    flags: '--run-dir <dir>',
    name: 'runDir',
    variable: 'TALLY_RUN_DIR',
    description: `directory for FIFOs, pid files and credentials (default: ${defaults.runDir})`,
  },
  {
    flags: '--node <name>',
    name: 'node',
    variable: 'TALLY_NODE',
    description: 'name of the node (default: that of the state directory, else that of the host)',
  },
  {
    flags: '--nats <urls>',
    name: 'nats',
    variable: 'TALLY_NATS',
    description: 'external NATS servers to use instead of the embedded one: URL[,URL…]',
  },
  {
    flags: '--nats-context <name>',
    name: 'natsContext',
    variable: 'TALLY_NATS_CONTEXT',
    description: 'take NATS servers, credentials and TLS files from a context of the nats tool',
  },
  {
    flags: '--creds <file>',
    name: 'creds',
    variable: 'TALLY_CREDS',
    description: 'credentials file for --nats, with a JWT and an nkey seed',
  },
  {flags: '--nkey <file>', name: 'nkey', variable: 'TALLY_NKEY', description: 'file with an nkey seed for --nats'},
  {flags: '--user <user>', name: 'user', variable: 'TALLY_USER', description: 'user for --nats'},
  {
    flags: '--password <password>',
    name: 'password',
    variable: 'TALLY_PASSWORD',
    description: 'password for --nats; safer in the environment',
  },
  {flags: '--token <token>', name: 'token', variable: 'TALLY_TOKEN', description: 'token for --nats; safer in the environment'},
  {
    flags: '--tls-ca <file>',
    name: 'tlsCa',
    variable: 'TALLY_TLS_CA',
    description: 'require TLS for --nats, with a server certificate signed by one of these authorities (PEM)',
  },
  {flags: '--tls-cert <file>', name: 'tlsCert', variable: 'TALLY_TLS_CERT', description: 'client certificate for --nats (PEM)'},
  {flags: '--tls-key <file>', name: 'tlsKey', variable: 'TALLY_TLS_KEY', description: 'key of the client certificate (PEM)'},
  {
    flags: '--tls-first',
    name: 'tlsFirst',
    variable: 'TALLY_TLS_FIRST',
    description: 'start with the TLS handshake, for a server with handshake_first',
  },
  {flags: '--prefix <tokens>', name: 'prefix', variable: 'TALLY_PREFIX', description: 'prefix of all subjects (default: tally)'},
  {
    flags: '--namespace <name>',
    name: 'namespace',
    variable: 'TALLY_NAMESPACE',
    description: `namespace of containers (default: ${defaults.namespace})`,
  },
  {flags: '--json', name: 'json', description: 'print JSON'},
]

/** Adds the options to the program or to a verb, so that they can be given before or after its name. An option of the verb itself wins. */
export function addNodeOptions(command: Command): void {
  const taken = new Set(command.options.map(({long}) => long))
  for (const {flags, variable, description} of globalOptions) {
    const option = new Option(flags, variable ? `${description} [env: ${variable}]` : description).helpGroup('Node options:')
    if (!taken.has(option.long)) command.addOption(option)
  }
}

/** @throws TallyError INVALID_ARGUMENT */
export function resolveNodeOptions(command: Command, environment: NodeJS.ProcessEnv = process.env): NodeOptions {
  const own: Record<string, unknown> = command.opts()
  const outer: Record<string, unknown> = Object.assign(
    {},
    ...listOuter(command)
      .map((one) => one.opts())
      .toReversed(),
  )
  // `run --user` is the user in the container. The user for NATS is given before the verb or in the environment.
  const isShared = (name: string) => command.options.find((option) => option.attributeName() === name)?.helpGroupHeading === 'Node options:'
  const read = (name: string): string | undefined => {
    const variable = globalOptions.find((option) => option.name === name)?.variable
    const value = (isShared(name) ? own[name] : undefined) ?? outer[name] ?? ((variable && environment[variable]) || undefined)
    return typeof value === 'string' ? value : value === true ? 'true' : undefined
  }
  const namespace = read('namespace') ?? defaults.namespace
  const node = read('node')
  checkId('--namespace', namespace)
  if (node !== undefined) checkId('--node', node)
  return {
    stateDir: toRealPath(read('stateDir') ?? defaults.stateDir),
    runDir: toRealPath(read('runDir') ?? defaults.runDir),
    node,
    nats: toNatsAccess(read, environment),
    prefix: read('prefix'),
    namespace,
    json: wantsJson(command),
  }
}

/** Looks at parsed options only: `--json` can also be an argument of the program in a container. */
export function wantsJson(command: Command): boolean {
  return [command, ...listOuter(command)].some((one) => one.opts()['json'] === true)
}

/** The parents of a command, the nearest first. */
function listOuter({parent}: Command): readonly Command[] {
  return parent ? [parent, ...listOuter(parent)] : []
}

function checkId(flag: string, value: string): void {
  if (!isId(value)) throw new TallyError('INVALID_ARGUMENT', `expected ${flag} to be ${idRule}, got ${JSON.stringify(value)}`)
}

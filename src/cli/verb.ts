/** What all verbs share: the options of the node, a client, and how errors are printed. */
import {userInfo} from 'node:os'
import type {Command} from 'commander'
import type {TallyClient} from '../client/client.ts'
import {toErrorBody} from '../kernel/errors.ts'
import {toExitCode} from './exit-codes.ts'
import {addNodeOptions, type NodeOptions, resolveNodeOptions} from './node-options.ts'
import {printError, printJson, printNote} from './print.ts'

/** Adds a verb. @param own adds options that have the name of a node option, which they replace; other options can be added later */
export function addVerb(
  program: Command,
  name: string,
  summary: string,
  own: (command: Command) => Command = (command) => command,
): Command {
  const command = own(program.command(name).summary(summary).description(summary))
  addNodeOptions(command)
  return command
}

interface ConnectHow {
  /** Whether requests wait for a lost connection to return. */
  readonly returns?: boolean
  /** Whether they wait for a coordinator that is about to be started again; by default, when `returns` is not false. */
  readonly awaitsCoordinator?: boolean
  /** How long to wait for the answer of a server. */
  readonly patienceMs?: number
}

/** @throws TallyError NODE_NOT_RUNNING, NATS_UNREACHABLE, NATS_AUTH_FAILED, NATS_TLS_FAILED */
export async function connect(options: NodeOptions, how: ConnectHow = {}): Promise<TallyClient> {
  try {
    return await connectNow(options, how)
  } catch (error) {
    if (!isAbsent(error)) throw error
    const {untilRestored} = await import('./absent-node.ts')
    if (!(await untilRestored(options))) throw error
    return await connectNow(options, how)
  }
}

function isAbsent(error: unknown): boolean {
  return toErrorBody(error).code === 'NODE_NOT_RUNNING'
}

async function connectNow({runDir, nats, node, prefix}: NodeOptions, how: ConnectHow): Promise<TallyClient> {
  // Loaded here, so that --help and usage errors do not wait for it.
  const {connectTally} = await import('../client/client.ts')
  return await connectTally({
    runDir,
    actor: toActor(),
    ...how,
    onLost: () => printNote('the connection to NATS was lost; waiting for it to come back'),
    onBack: () => printNote('connected again'),
    ...(nats && {nats}),
    ...(node !== undefined && {node}),
    ...(prefix !== undefined && {prefix}),
  })
}

/** Runs with a client, which is closed afterwards. */
export async function withClient<T>(command: Command, work: (client: TallyClient, options: NodeOptions) => Promise<T>): Promise<T> {
  const options = resolveNodeOptions(command)
  await using client = await connect(options)
  return await work(client, options)
}

/**
 * Does the same for each id. A failure is printed and does not stop the others.
 * @param print a result as text; with --json all results are printed as one array
 */
export async function forEachId<T>(
  command: Command,
  ids: readonly string[],
  act: (client: TallyClient, id: string, options: NodeOptions) => Promise<T>,
  print: (result: T) => string,
): Promise<void> {
  await withClient(command, async (client, options) => {
    const results = await Promise.all(
      ids.map((id) =>
        act(client, id, options).catch((error: unknown) => {
          const body = toErrorBody(error)
          printError(body, options)
          process.exitCode = toExitCode(body.code)
          return undefined
        }),
      ),
    )
    const done = results.filter((result) => result !== undefined)
    if (options.json) printJson(done)
    else for (const result of done) process.stdout.write(`${print(result)}\n`)
  })
}

/** The caller's name for the ledger; with sudo also the user who called it. */
function toActor(): string {
  const {username} = userInfo()
  const behind = process.env['SUDO_USER']
  return behind && behind !== username ? `${behind} (sudo ${username})` : username
}

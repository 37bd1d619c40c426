/** `run`: in the foreground, as if the container's program had been started here. */
import type {Command} from 'commander'
import {type ContainerClient, findExit, type TallyClient} from '../client/client.ts'
import type {ContainerView} from '../../machines/views/view.ts'
import {toErrorBody} from '../kernel/errors.ts'
import {exitAsProcess} from './as-process.ts'
import type {ContainerFlags} from './container-flags.ts'
import {addContainerOptions} from './container-options.ts'
import {toCreateRequest} from './container-request.ts'
import {checkDetachKeys} from './detach-keys.ts'
import {exitCodes} from './exit-codes.ts'
import {type NodeOptions, resolveNodeOptions} from './node-options.ts'
import {printLacks, toPrettyJson} from './print.ts'
import {runSession, type SessionEnd, toSessionExitCode} from './session.ts'
import {addVerb, connect} from './verb.ts'
import {makeOrRemove, type SignalWatch, watchSignals} from './watch-signals.ts'

interface RunFlags extends ContainerFlags {
  readonly detach?: true
  readonly detachKeys?: string
  readonly rm?: true
}

export function addRun(program: Command): void {
  addVerb(program, 'run', 'make a container and start it; exits as the container does', addContainerOptions)
    .option('-d, --detach', 'do not wait for it; prints its id')
    .option('--detach-keys <keys>', 'what to press to leave it running (default: ctrl-p,ctrl-q)', checkDetachKeys)
    .option('--rm', 'delete it, by itself, once it has stopped')
    .action(async (args: readonly string[], flags: RunFlags, command: Command) => {
      await exitAsProcess(command, () => run(resolveNodeOptions(command), flags, args))
    })
}

async function run(options: NodeOptions, flags: RunFlags, args: readonly string[]): Promise<number> {
  const {namespace, json} = options
  const request = toCreateRequest(flags, args, {namespace, autoRemove: flags.rm === true})
  const signals = watchSignals()
  await using client = await connect(options)
  return await makeOrRemove(signals, {
    make: () => client.create(request),
    remove: ({id}) => client.container(id, namespace).delete({force: true}),
    finish: async (made, tell) => {
      const {id} = made
      printLacks(made)
      if (!flags.detach) return toSessionExitCode(await runInForeground(options, client, made, flags, signals), `container ${id}`)
      const view = await start(client.container(id, namespace), flags)
      signals.check()
      await tell(json ? toPrettyJson(view) : id)
      return exitCodes.ok
    },
  })
}

async function runInForeground(
  options: NodeOptions,
  client: TallyClient,
  made: ContainerView,
  flags: RunFlags,
  signals: SignalWatch,
): Promise<SessionEnd> {
  const toContainer = (present: TallyClient) => present.container(made.id, options.namespace)
  try {
    return await runSession(client, {
      toProcess: toContainer,
      name: `container ${made.id}`,
      start: (present) => startOnce(toContainer(present), flags),
      from: 'beginning',
      hold: flags.rm === true,
      input: made.stdin === true,
      terminal: made.terminal === true,
      detachKeys: flags.detachKeys,
      forwardSignals: true,
      signals,
    })
  } catch (error) {
    // Somebody has killed or removed it before we could hold it: the ledger knows how it ended.
    const exit = toErrorBody(error).code === 'CONTAINER_NOT_FOUND' ? await findExit(client, made) : undefined
    if (!exit) throw error
    return {type: 'exited', exit}
  }
}

/** What matters is how it ends, also when it was started or has ended without us. */
async function startOnce(container: ContainerClient, flags: RunFlags): Promise<void> {
  try {
    await start(container, flags)
  } catch (error) {
    if (!isUnderWay(error)) throw error
  }
}

/** A container that cannot be started and would have removed itself is of no use to anybody. */
async function start(container: ContainerClient, flags: RunFlags): Promise<ContainerView> {
  try {
    return await container.start()
  } catch (error) {
    if (flags.rm && !isUnderWay(error)) await container.delete({force: true}).catch(() => {})
    throw error
  }
}

/** Somebody has killed or removed it meanwhile, or an earlier start was carried out whose reply was lost. */
function isUnderWay(error: unknown): boolean {
  const {code, details} = toErrorBody(error)
  if (code === 'RUNC_START_FAILED') return details['finished'] === true
  return code === 'ILLEGAL_COMMAND' && ['running', 'paused', 'stopped', 'deleting', 'deleted'].includes(String(details['state']))
}

/** `run`: creates and starts a container; in the foreground its program behaves as if it had been started here. */
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
import {removeContainer} from './remove-container.ts'
import {runSession, type SessionEnd, toSessionExitCode} from './session.ts'
import {addVerb, connect} from './verb.ts'
import {makeOrRemove, type SignalWatch, watchSignals} from './watch-signals.ts'

interface RunFlags extends ContainerFlags {
  readonly detach?: true
  readonly detachKeys?: string
  readonly rm?: true
}

export function addRun(program: Command): void {
  addVerb(program, 'run', 'create and start a container, and exit with its status', addContainerOptions)
    .option('-d, --detach', 'run the container in the background and print its id')
    .option('--detach-keys <keys>', 'key sequence for detaching from the container (default: ctrl-p,ctrl-q)', checkDetachKeys)
    .option('--rm', 'delete the container when it stops')
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
    remove: ({id}) => removeContainer(client.container(id, namespace)),
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
    // It was killed or removed before we had a lease on its output: its exit status is in the ledger.
    const exit = toErrorBody(error).code === 'CONTAINER_NOT_FOUND' ? await findExit(client, made) : undefined
    if (!exit) throw error
    return {type: 'exited', exit}
  }
}

/** A container that another client has started, or that has already ended, is no failure: its exit status is what counts. */
async function startOnce(container: ContainerClient, flags: RunFlags): Promise<void> {
  try {
    await start(container, flags)
  } catch (error) {
    if (!isUnderWay(error)) throw error
  }
}

/** With --rm, a container that cannot be started is removed. */
async function start(container: ContainerClient, flags: RunFlags): Promise<ContainerView> {
  try {
    return await container.start()
  } catch (error) {
    if (flags.rm && !isUnderWay(error)) await container.delete({force: true}).catch(() => {})
    throw error
  }
}

/** Another client has killed or removed it, or an earlier start succeeded and its reply was lost. */
function isUnderWay(error: unknown): boolean {
  const {code, details} = toErrorBody(error)
  if (code === 'RUNC_START_FAILED') return details['finished'] === true
  return code === 'ILLEGAL_COMMAND' && ['running', 'paused', 'stopped', 'deleting', 'deleted'].includes(String(details['state']))
}

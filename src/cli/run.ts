/** `run`: in the foreground, as if the container's program had been started here. */
import type {Command} from 'commander'
import {type ContainerClient, findExit, type TallyClient} from '../client/client.ts'
import {followOutput} from '../client/follow-output.ts'
import {holdOutput} from '../client/hold-output.ts'
import type {ProcessExit} from '../../machines/process-exit.ts'
import type {ContainerView} from '../../machines/view.ts'
import {toErrorBody} from '../kernel/errors.ts'
import {addContainerOptions, type ContainerFlags, toCreateRequest} from './container-options.ts'
import {exitCodes, toExitStatus, toRunExitCode} from './exit-codes.ts'
import {writeToFd} from './fd-writer.ts'
import {type NodeOptions, resolveNodeOptions} from './node-options.ts'
import {printError, printJson, printNote} from './print.ts'
import {withReconnect} from './reconnect.ts'
import {addVerb, connect} from './verb.ts'

interface RunFlags extends ContainerFlags {
  readonly detach?: true
  readonly rm?: true
}

const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const
/** So many that ask us to end, and we do, whatever the container makes of them. */
const patience = 3

export function addRun(program: Command): void {
  addVerb(program, 'run', 'make a container and start it; exits as the container does', addContainerOptions)
    .option('-d, --detach', 'do not wait for it; prints its id')
    .option('--rm', 'delete it, by itself, once it has stopped')
    .action(async (args: readonly string[], flags: RunFlags, command: Command) => {
      const isJson = process.argv.includes('--json')
      try {
        process.exitCode = await run(resolveNodeOptions(command), flags, args)
      } catch (error) {
        const body = toErrorBody(error)
        printError(body, {json: isJson})
        process.exitCode = toRunExitCode(body.code)
      }
    })
}

async function run(options: NodeOptions, flags: RunFlags, args: readonly string[]): Promise<number> {
  const {namespace, json} = options
  const request = toCreateRequest(flags, args, {namespace, autoRemove: flags.rm === true})
  await using client = await connect(options)
  const made = await client.create(request)
  const {id} = made
  if (flags.detach) {
    const view = await start(client.container(id, namespace), flags)
    if (json) printJson(view)
    else console.log(id)
    return exitCodes.ok
  }
  const exit = await runInForeground(options, client, made, flags)
  if (exit?.type === 'lost') printNote(`nobody can know how the container ended: ${exit.reason}`)
  return exit ? toExitStatus(exit) : exitCodes.runFailed
}

async function runInForeground(
  options: NodeOptions,
  first: TallyClient,
  made: ContainerView,
  flags: RunFlags,
): Promise<ProcessExit | undefined> {
  const toContainer = (client: TallyClient) => client.container(made.id, options.namespace)
  const offsets = {stdout: 0, stderr: 0}
  let present = first
  let started = false
  using _signals = forwardSignals(() => toContainer(present), made.id)

  try {
    return await withReconnect(options, first, async (client) => {
      present = client
      const container = toContainer(client)
      await using _hold = flags.rm ? await holdOutput(container) : undefined
      // Both listen before the program can write.
      using stdout = follow(client, container, 'stdout', 1)
      using stderr = follow(client, container, 'stderr', 2)
      if (!started) await startOnce(container, flags)
      started = true
      await Promise.all([stdout.ended, stderr.ended])
      return (await container.wait()).exit
    })
  } catch (error) {
    // Somebody has killed or removed it before we could hold it: the ledger knows how it ended.
    const exit = toErrorBody(error).code === 'CONTAINER_NOT_FOUND' ? await findExit(present, made) : undefined
    if (!exit) throw error
    return exit
  }

  function follow(client: TallyClient, container: ContainerClient, stream: 'stdout' | 'stderr', fd: number) {
    return followOutput(client, container, {
      stream,
      offset: offsets[stream],
      onBytes: async (bytes) => {
        await writeToFd(fd, bytes)
        offsets[stream] += bytes.length
      },
    })
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

/** What this process is sent, the container is sent. */
function forwardSignals(toContainer: () => ContainerClient, id: string): Disposable {
  let asked = 0
  const forward = (signal: NodeJS.Signals) => {
    if (signal === 'SIGINT' || signal === 'SIGTERM') asked += 1
    if (asked > patience) {
      printNote(`ending without waiting for container ${id}, which runs on`)
      process.exit(exitCodes.runFailed)
    }
    // It may have ended, or NATS be away: who wants it to end asks again.
    toContainer()
      .kill(signal)
      .catch(() => {})
  }
  for (const signal of forwarded) process.on(signal, forward)
  return {
    [Symbol.dispose]: () => {
      for (const signal of forwarded) process.off(signal, forward)
    },
  }
}

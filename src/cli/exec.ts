/** `exec`: one more process in a running container, which behaves as if it had been started here. */
import {randomBytes} from 'node:crypto'
import type {Command} from 'commander'
import type {ExecClient, ExecRequestInput, TallyClient} from '../client/client.ts'
import {toErrorBody} from '../kernel/errors.ts'
import {exitAsProcess, toProgram} from './as-process.ts'
import {repeated} from './arguments.ts'
import {toConsoleSize} from './console-size.ts'
import {checkDetachKeys} from './detach-keys.ts'
import {toVariable} from './environment-variable.ts'
import {exitCodes} from './exit-codes.ts'
import {type NodeOptions, resolveNodeOptions} from './node-options.ts'
import {toPrettyJson} from './print.ts'
import {runSession, toSessionExitCode} from './session.ts'
import {addVerb, connect} from './verb.ts'
import {makeOrRemove, watchSignals} from './watch-signals.ts'

interface ExecFlags {
  readonly interactive?: true
  readonly tty?: true
  readonly detach?: true
  readonly detachKeys?: string
  readonly env?: readonly string[]
  readonly workdir?: string
  readonly user?: string
  readonly id?: string
}

/** The first lease on the output, until the output is followed. */
const leaseMs = 30_000

export function addExec(program: Command): void {
  addVerb(program, 'exec', 'run a command in a running container, and exit with its status', addOptions).action(
    async (id: string, args: readonly string[], flags: ExecFlags, command: Command) => {
      await exitAsProcess(command, () => exec(resolveNodeOptions(command), id, toProgram(args), flags))
    },
  )
}

function addOptions(command: Command): Command {
  return command
    .argument('<id>')
    .argument('<command...>', 'command to run, and its arguments')
    .passThroughOptions()
    .option('-i, --interactive', 'keep standard input open; without it, the command reads an end of file')
    .option('-t, --tty', 'allocate a terminal')
    .option('-d, --detach', 'run the command in the background and print its exec id')
    .option('--detach-keys <keys>', 'key sequence for detaching from the command (default: ctrl-p,ctrl-q)', checkDetachKeys)
    .addOption(
      repeated(
        '-e, --env <name=value>',
        'set an environment variable; NAME alone takes the value from your environment; may be repeated',
        String,
      ),
    )
    .option('-w, --workdir <dir>', "working directory (default: the container's)")
    .option(
      '-u, --user <user[:group]>',
      "user and group, as numbers or as names in the passwd and group files of the container (default: the container's)",
    )
    .option(
      '--id <exec-id>',
      'exec id of the process, which then stays listed until it or the container is deleted (default: a random one)',
    )
}

async function exec(options: NodeOptions, id: string, args: readonly string[], flags: ExecFlags): Promise<number> {
  const signals = watchSignals()
  await using client = await connect(options)
  const container = (present: TallyClient) => present.container(id, options.namespace)
  const name = flags.id ?? randomBytes(6).toString('hex')
  const request = toRequest(flags, name, args)
  return await makeOrRemove(signals, {
    // Added before it is started, so that its output is followed, with a lease on it, from the first byte.
    make: () => container(client).addProcess(flags.detach ? request : {...request, start: false, holdMs: leaseMs}),
    remove: () => removeProcess(container(client).process(name)),
    finish: async (view, tell) => {
      if (flags.detach) {
        await tell(options.json ? toPrettyJson(view) : view.exec)
        return exitCodes.ok
      }
      const end = await runSession(client, {
        toProcess: (present) => container(present).process(name),
        name: `process ${name} of container ${id}`,
        start: (present) => startOnce(container(present).process(name)),
        from: 'beginning',
        hold: true,
        input: flags.interactive === true,
        terminal: flags.tty === true,
        detachKeys: flags.detachKeys,
        forwardSignals: true,
        signals,
        onReaderGone: async (present) => hangUp(container(present).process(name)),
      })
      return toSessionExitCode(end, `process ${name} of container ${id}`)
    },
  })
}

/** A running process is killed first. With its end it may have removed itself. */
async function removeProcess(process: ExecClient): Promise<void> {
  try {
    if ((await process.state()).state === 'running') {
      await process.kill('SIGKILL')
      await process.wait()
    }
    await process.delete()
  } catch (error) {
    if (!['EXEC_NOT_FOUND', 'CONTAINER_NOT_FOUND', 'PROCESS_ENDED'].includes(toErrorBody(error).code)) throw error
  }
}

/** An earlier start that succeeded and whose reply was lost is no failure. */
async function startOnce(process: ExecClient): Promise<void> {
  try {
    await process.start()
  } catch (error) {
    const {code, details} = toErrorBody(error)
    if (code !== 'ILLEGAL_COMMAND' || !['running', 'stopped'].includes(String(details['state']))) throw error
  }
}

/** Sends SIGHUP to the process group, as when a terminal is closed: nothing reads its output any more. */
async function hangUp(process: ExecClient): Promise<void> {
  // It may have ended.
  await process.kill('SIGHUP', {all: true}).catch(() => {})
}

function toRequest({interactive, tty, env = [], workdir, user, id}: ExecFlags, exec: string, args: readonly string[]): ExecRequestInput {
  const consoleSize = tty && toConsoleSize()
  return {
    exec,
    args: [...args],
    env: env.flatMap(toVariable),
    autoRemove: id === undefined,
    ...(workdir !== undefined && {cwd: workdir}),
    ...(user !== undefined && {user}),
    ...(interactive && {stdin: true}),
    ...(tty && {terminal: true}),
    ...(consoleSize && {consoleSize}),
  }
}

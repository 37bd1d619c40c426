/** `up`: becomes the coordinator, or starts one in the background and waits until it answers. */
import {join, resolve} from 'node:path'
import type {Command} from 'commander'
import type {CoordinatorOptions} from '../coordinator/options.ts'
import {toOwnEnvironment} from '../kernel/environment.ts'
import {TallyError} from '../kernel/errors.ts'
import {type HttpOption, parseHttpOption} from './http-option.ts'
import {dist, nodeOptions} from './installed.ts'
import {type NodeOptions, resolveNodeOptions} from './node-options.ts'
import {printJson, printNote} from './print.ts'
import {addStreamOptions, type StreamFlags, toUpLimits} from './stream.ts'
import {type SleepAfter, sleepAfterOption} from './sleep-option.ts'
import {startDetached} from './start-detached.ts'
import {addVerb} from './verb.ts'

interface UpFlags extends StreamFlags {
  readonly detach?: true
  readonly runtime?: string
  readonly natsServer?: string
  readonly http?: HttpOption
  readonly sleepAfter?: SleepAfter
}

export function addUp(program: Command): void {
  const up = addVerb(program, 'up', 'start the node: the coordinator, and a nats-server unless --nats names an external one')
  addStreamOptions(up)
    .option('-d, --detach', 'start the node in the background, where it is started again if it dies, and return when it is ready')
    .option('--runtime <name>', 'OCI runtime, by name or path (default: runc)')
    .option('--nats-server <name>', 'nats-server, by name or path (default: nats-server)')
    .option('--http <address>', 'address of the web page, or off (default: 127.0.0.1:7070)', parseHttpOption)
    .addOption(sleepAfterOption)
    .action(async (flags: UpFlags, command: Command) => {
      const options = resolveNodeOptions(command)
      const invocation = await toInvocation(options, flags)
      if (!flags.detach) return becomeCoordinator(invocation, process.env)
      const {toShimCommand} = await import('../shim/client/coordinator-command.ts')
      const info = await startDetached({command: toShimCommand(dist, [process.execPath, ...nodeOptions]), env: invocation.env}, options)
      for (const warning of info.warnings ?? []) printNote(`the coordinator warns: ${warning}`)
      if (options.json) printJson(info)
      else
        console.log(
          `node ${info.node} is ready on ${info.natsUrl} (coordinator ${info.coordinatorPid})${info.httpUrl ? `, its page on ${info.httpUrl}` : ''}`,
        )
    })
}

interface Invocation {
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
}

/** Options are passed in the environment: they can contain a password, and every user can read command lines. */
async function toInvocation({stateDir, runDir, node, nats, prefix}: NodeOptions, flags: UpFlags): Promise<Invocation> {
  const {runtime, natsServer, http, sleepAfter} = flags
  if (process.getuid?.() !== 0)
    throw new TallyError('STATE_DIR_INVALID', `running containers needs root, got uid ${process.getuid?.()}: expected sudo`)
  const {coordinatorOptionsSchema, coordinatorOptionsVariable} = await import('../coordinator/options.ts')
  const options: CoordinatorOptions = coordinatorOptionsSchema.parse({
    stateDir,
    runDir,
    node,
    nats,
    prefix,
    runtime: toPath(runtime),
    natsServer: toPath(natsServer),
    http,
    sleepAfterMs: sleepAfter,
    stream: toUpLimits(flags),
  })
  return {
    args: [...nodeOptions, join(dist, 'coordinator.js')],
    env: {...toOwnEnvironment(process.env), TALLY_STATE_DIR: stateDir, [coordinatorOptionsVariable]: JSON.stringify(options)},
  }
}

/** Absolute, since the coordinator runs in another directory. */
function toPath(program: string | undefined): string | undefined {
  return program?.includes('/') ? resolve(program) : program
}

/** Replaces this process, so that a service manager sees one process, which tells it when the node is ready. */
function becomeCoordinator({args, env}: Invocation, {NOTIFY_SOCKET}: NodeJS.ProcessEnv): never {
  if (!process.execve) throw new TallyError('INTERNAL', `expected a Node.js with process.execve, got ${process.version}`)
  return process.execve(process.execPath, [process.execPath, ...args], {...env, ...(NOTIFY_SOCKET !== undefined && {NOTIFY_SOCKET})})
}

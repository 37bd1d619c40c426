/** `up`: becomes the coordinator, or starts one in the background and waits until it answers. */
import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {closeSync, existsSync, fstatSync, mkdirSync, openSync, readFileSync} from 'node:fs'
import {dirname, join, resolve} from 'node:path'
import {fileURLToPath} from 'node:url'
import type {Command} from 'commander'
import type {NodeInfo} from '../../machines/views/view.ts'
import type {CoordinatorOptions} from '../coordinator/options.ts'
import {toOwnEnvironment} from '../kernel/environment.ts'
import {isErrorCode, TallyError} from '../kernel/errors.ts'
import {type HttpOption, parseHttpOption} from './http-option.ts'
import {type NodeOptions, resolveNodeOptions} from './node-options.ts'
import {printJson, printNote} from './print.ts'
import {addStreamOptions, type StreamFlags, toUpLimits} from './stream.ts'
import {addVerb, connect} from './verb.ts'
import {type SignalWatch, watchSignals} from './watch-signals.ts'

interface UpFlags extends StreamFlags {
  readonly detach?: true
  readonly runtime?: string
  readonly natsServer?: string
  readonly http?: HttpOption
}

const readyPatienceMs = 15_000
const pollMs = 25
/** A connection file of a former coordinator may name a server that hangs. */
const requestPatienceMs = 2_000

export function addUp(program: Command): void {
  const up = addVerb(program, 'up', 'start the node: the coordinator, and a nats-server unless --nats names an external one')
  addStreamOptions(up)
    .option('-d, --detach', 'start the node in the background, and return when it is ready')
    .option('--runtime <name>', 'OCI runtime, by name or path (default: runc)')
    .option('--nats-server <name>', 'nats-server, by name or path (default: nats-server)')
    .option('--http <address>', 'address of the web page, or off (default: 127.0.0.1:7070)', parseHttpOption)
    .action(async (flags: UpFlags, command: Command) => {
      const options = resolveNodeOptions(command)
      const invocation = await toInvocation(options, flags)
      if (!flags.detach) return becomeCoordinator(invocation)
      const info = await startDetached(invocation, options)
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
  const {runtime, natsServer, http} = flags
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
    stream: toUpLimits(flags),
  })
  const program = join(dirname(fileURLToPath(import.meta.url)), 'coordinator.js')
  return {
    args: ['--disable-warning=ExperimentalWarning', program],
    env: {...toOwnEnvironment(process.env), TALLY_STATE_DIR: stateDir, [coordinatorOptionsVariable]: JSON.stringify(options)},
  }
}

/** Absolute, since the coordinator runs in another directory. */
function toPath(program: string | undefined): string | undefined {
  return program?.includes('/') ? resolve(program) : program
}

/** Replaces this process, so that a service manager sees one process. */
function becomeCoordinator({args, env}: Invocation): never {
  if (!process.execve) throw new TallyError('INTERNAL', `expected a Node.js with process.execve, got ${process.version}`)
  return process.execve(process.execPath, [process.execPath, ...args], env)
}

async function startDetached({args, env}: Invocation, options: NodeOptions): Promise<NodeInfo> {
  // Before anything is started that a signal could leave behind.
  const signals = watchSignals()
  signals.begin()
  const logFile = join(options.stateDir, 'coordinator.log')
  const log = openLog(logFile)
  const begin = fstatSync(log).size
  const child = spawn(process.execPath, args, {detached: true, stdio: ['ignore', log, log], cwd: '/', env})
  closeSync(log)
  child.unref()
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  for (const giveUpAt = performance.now() + readyPatienceMs; !hasEnded() && performance.now() < giveUpAt; await sleep(pollMs)) {
    const info = await requestInfo(options)
    const interruption = findInterruption(signals)
    if (interruption) {
      child.kill('SIGTERM')
      // Keeps this process alive until the coordinator has ended.
      child.ref()
      if (!hasEnded()) await once(child, 'exit')
      throw interruption
    }
    if (info && info.coordinatorPid === child.pid) {
      signals.finish()
      return info
    }
  }
  if (!hasEnded()) child.kill('SIGTERM')
  throw (
    readFailure(logFile, begin) ??
    new TallyError('NODE_NOT_RUNNING', `the coordinator was not ready within ${readyPatienceMs / 1000} s; ${logFile} may say why`)
  )
}

function findInterruption(signals: SignalWatch): unknown {
  try {
    signals.check()
    return undefined
  } catch (error) {
    return error
  }
}

function openLog(path: string): number {
  try {
    mkdirSync(dirname(path), {recursive: true, mode: 0o700})
    return openSync(path, 'a', 0o600)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new TallyError('STATE_DIR_INVALID', `cannot use the directory ${dirname(path)}: ${why}`, {cause})
  }
}

/** @returns undefined until a coordinator answers. The connection file can be that of a former one. */
async function requestInfo(options: NodeOptions): Promise<NodeInfo | undefined> {
  if (!existsSync(join(options.runDir, 'connection.json'))) return undefined
  try {
    await using client = await connect({...options, nats: undefined, node: undefined}, {returns: false, patienceMs: requestPatienceMs})
    return await client.info()
  } catch {
    return undefined
  }
}

/** The error that a coordinator has logged before it ended, if there is one after `begin`. */
function readFailure(logFile: string, begin: number): TallyError | undefined {
  const lines = readFileSync(logFile).subarray(begin).toString('utf8').split('\n')
  const [, message, code] = lines.map((line) => /^tally: (.*) \[([A-Z_]+)\]$/.exec(line)).findLast((match) => match !== null) ?? []
  return message !== undefined && isErrorCode(code) ? new TallyError(code, message) : undefined
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Starts a coordinator in the background, beneath a shim that starts it again when it dies, and waits until it answers. */
import {type ChildProcess, spawn} from 'node:child_process'
import {once} from 'node:events'
import {closeSync, existsSync, fstatSync, mkdirSync, openSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import type {NodeInfo} from '../../machines/views/view.ts'
import {TallyError} from '../kernel/errors.ts'
import {endShim} from './end-shim.ts'
import {describeGivenUp, findShim, readLastError, readParentStatus, toCoordinatorLog} from './node-parent.ts'
import type {NodeOptions} from './node-options.ts'
import {printNote} from './print.ts'
import {connect} from './verb.ts'
import {type SignalWatch, watchSignals} from './watch-signals.ts'

export interface Command {
  readonly command: readonly [string, ...string[]]
  readonly env: NodeJS.ProcessEnv
}

const readyPatienceMs = 15_000
const pollMs = 25
/** A connection file of a former coordinator may name a server that hangs. */
const requestPatienceMs = 2_000

/** @throws TallyError NODE_RUNNING; that of the coordinator, which is not started again when its first start fails; CANCELLED by a signal */
export async function startDetached({command: [program, ...args], env}: Command, options: NodeOptions): Promise<NodeInfo> {
  // Before anything is started that a signal could leave behind.
  const signals = watchSignals()
  signals.begin()
  await endGivenUp(options)
  const logFile = toCoordinatorLog(options.stateDir)
  const log = openLog(logFile)
  const begin = fstatSync(log).size
  const child = spawn(program, args, {detached: true, stdio: ['ignore', log, log], cwd: '/', env})
  closeSync(log)
  const failure = once(child, 'error').then(([error]: readonly unknown[]) => error)
  child.unref()
  if (child.pid === undefined) throw new TallyError('INTERNAL', `cannot execute ${program}: ${String(await failure)}`)
  for (const giveUpAt = performance.now() + readyPatienceMs; !hasEnded(child) && performance.now() < giveUpAt; await sleep(pollMs)) {
    const info = await requestInfo(options)
    const interruption = findInterruption(signals)
    if (interruption) {
      await terminate(child)
      throw interruption
    }
    if (info?.parent?.pid === child.pid) {
      signals.finish()
      return info
    }
  }
  await terminate(child)
  throw (
    readLastError(logFile, begin) ??
    new TallyError('NODE_NOT_RUNNING', `the coordinator was not ready within ${readyPatienceMs / 1000} s; ${logFile} may say why`)
  )
}

/** A shim that has no hope for its coordinator makes room for another one. @throws TallyError NODE_RUNNING when it has */
async function endGivenUp(options: NodeOptions): Promise<void> {
  const status = await readParentStatus(options)
  if (!status) return
  const {stateDir} = options
  switch (status.phase) {
    case 'gave-up': {
      printNote(`${describeGivenUp(status, options)}; starting it again`)
      const shim = await findShim(options)
      if (shim) await endShim(shim, options)
      return
    }
    case 'up':
      throw new TallyError(
        'NODE_RUNNING',
        `a coordinator, pid ${status.pid}, already runs on the state directory ${stateDir}; \`tally down\` ends it`,
        {
          details: {stateDir, ...(status.pid !== undefined && {pid: status.pid})},
        },
      )
    case 'waiting':
    case 'asleep':
      throw new TallyError(
        'NODE_RUNNING',
        `the coordinator of the state directory ${stateDir} has died, and is about to be started again; \`tally down\` ends that`,
        {details: {stateDir}},
      )
  }
}

function hasEnded({exitCode, signalCode}: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}

/** The shim ends with its coordinator. */
async function terminate(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return
  child.kill('SIGTERM')
  // Keeps this process alive until then.
  child.ref()
  await once(child, 'exit')
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

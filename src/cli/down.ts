import {join} from 'node:path'
import type {Command} from 'commander'
import {createSystemClock} from '../kernel/clock.ts'
import {TallyError, toErrorBody} from '../kernel/errors.ts'
import {toLockFile} from '../kernel/lock-file.ts'
import {endShim} from './end-shim.ts'
import {findShim} from './node-parent.ts'
import {type NodeOptions, resolveNodeOptions} from './node-options.ts'
import {printJson} from './print.ts'
import {addVerb, connect} from './verb.ts'

type Outcome = 'ended' | 'ended nats-server; there was no coordinator' | 'nothing was running'

const endPatienceMs = 10_000
/** A coordinator that answers later than that hangs. */
const answerPatienceMs = 10_000
/** For how long one that is started again is waited for. */
const requestTimeoutMs = 60_000

export function addDown(program: Command): void {
  addVerb(program, 'down', 'stop the coordinator and the embedded nats-server; containers continue to run')
    .option('--containers', 'kill and delete all containers first')
    .action(async ({containers = false}: {readonly containers?: boolean}, command: Command) => {
      const options = resolveNodeOptions(command)
      const outcome = await end(options, containers)
      if (options.json) printJson({outcome})
      else console.log(outcome)
    })
}

async function end(options: NodeOptions, containers: boolean): Promise<Outcome> {
  const shim = await findShim(options)
  try {
    await using client = await connect(options, {returns: false, awaitsCoordinator: containers})
    const {coordinatorPid} = await withinPatience(client.info(), containers ? requestTimeoutMs : answerPatienceMs)
    const {isAlive, readProcessIdentity} = await import('../linux/process-table.ts')
    const coordinator = readProcessIdentity(coordinatorPid)
    await client.shutdown({containers})
    const clock = createSystemClock()
    for (const giveUpAt = clock.elapsed() + endPatienceMs; coordinator && isAlive(coordinator); await clock.sleep(10)) {
      if (clock.elapsed() > giveUpAt)
        throw new TallyError('TIMED_OUT', `the coordinator, pid ${coordinatorPid}, did not end within ${endPatienceMs / 1000} s`)
    }
    // One that was killed before it had ended is started again, and nats-server with it.
    if (shim) await endShim(shim, options)
    await stopServer(options)
    return 'ended'
  } catch (error) {
    const {code, message} = toErrorBody(error)
    if (!unreachable.has(code)) throw error
    const {findLockHolder} = await import('../linux/lock-holder.ts')
    if (containers) throw cannotDelete(findLockHolder(toLockFile(options.stateDir)), message, error)
    if (shim) await endShim(shim, options)
    const pid = findLockHolder(toLockFile(options.stateDir))
    if (pid !== undefined) await endByForce(pid)
    const hadServer = await stopServer(options)
    if (shim || pid !== undefined) return 'ended'
    return hadServer ? 'ended nats-server; there was no coordinator' : 'nothing was running'
  }
}

async function withinPatience<T>(answer: Promise<T>, patienceMs: number): Promise<T> {
  const late = new TallyError('TIMED_OUT', `the coordinator does not answer within ${patienceMs / 1000} s`)
  const {promise, reject} = Promise.withResolvers<never>()
  const timer = setTimeout(reject, patienceMs, late)
  return await Promise.race([answer, promise]).finally(() => clearTimeout(timer))
}

const unreachable: ReadonlySet<string> = new Set([
  'NODE_NOT_RUNNING',
  'NATS_UNREACHABLE',
  'NATS_AUTH_FAILED',
  'NATS_TLS_FAILED',
  'TIMED_OUT',
])

function cannotDelete(pid: number | undefined, why: string, cause: unknown): TallyError {
  const [problem, advice] =
    pid === undefined
      ? ['none runs', '`tally up -d` first']
      : [`pid ${pid} does not answer (${why})`, '`tally down`, then `tally up -d` first']
  return new TallyError('NODE_NOT_RUNNING', `deleting containers needs a coordinator, and ${problem}: ${advice}`, {cause})
}

/** For a coordinator that does not answer: SIGTERM, and then SIGKILL. A coordinator may be killed at any time. */
async function endByForce(pid: number): Promise<void> {
  const {isAlive, readProcessIdentity} = await import('../linux/process-table.ts')
  const coordinator = readProcessIdentity(pid)
  if (!coordinator) return
  const clock = createSystemClock()
  process.kill(pid, 'SIGTERM')
  for (const killAt = clock.elapsed() + endPatienceMs; isAlive(coordinator); await clock.sleep(10))
    if (clock.elapsed() > killAt) process.kill(pid, 'SIGKILL')
}

async function stopServer({stateDir, runDir}: NodeOptions): Promise<boolean> {
  const {stopEmbeddedServer} = await import('../messaging/embedded-server.ts')
  return await stopEmbeddedServer({dir: join(stateDir, 'nats'), runDir, clock: createSystemClock()})
}

import {join} from 'node:path'
import type {Command} from 'commander'
import {createSystemClock} from '../kernel/clock.ts'
import {TallyError, toErrorBody} from '../kernel/errors.ts'
import {toLockFile} from '../kernel/lock-file.ts'
import {type NodeOptions, resolveNodeOptions} from './node-options.ts'
import {printJson} from './print.ts'
import {addVerb, connect} from './verb.ts'

type Outcome = 'ended' | 'ended nats-server; there was no coordinator' | 'nothing was running'

const endPatienceMs = 10_000

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
  try {
    await using client = await connect(options, {returns: false})
    const {coordinatorPid} = await client.info()
    const {isAlive, readProcessIdentity} = await import('../linux/process-table.ts')
    const coordinator = readProcessIdentity(coordinatorPid)
    await client.shutdown({containers})
    const clock = createSystemClock()
    for (const giveUpAt = clock.elapsed() + endPatienceMs; coordinator && isAlive(coordinator); await clock.sleep(10)) {
      if (clock.elapsed() > giveUpAt)
        throw new TallyError('TIMED_OUT', `the coordinator, pid ${coordinatorPid}, did not end within ${endPatienceMs / 1000} s`)
    }
    return 'ended'
  } catch (error) {
    const {code, message} = toErrorBody(error)
    if (!unreachable.has(code)) throw error
    const {findLockHolder} = await import('../linux/lock-holder.ts')
    const pid = findLockHolder(toLockFile(options.stateDir))
    if (containers) throw cannotDelete(pid, message, error)
    if (pid !== undefined) {
      await endByForce(pid)
      await stopServer(options)
      return 'ended'
    }
    return (await stopServer(options)) ? 'ended nats-server; there was no coordinator' : 'nothing was running'
  }
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

import {join} from 'node:path'
import type {Command} from 'commander'
import {createSystemClock} from '../kernel/clock.ts'
import {TallyError, toErrorBody} from '../kernel/errors.ts'
import {type NodeOptions, resolveNodeOptions} from './node-options.ts'
import {printJson} from './print.ts'
import {addVerb, connect} from './verb.ts'

type Outcome = 'ended' | 'ended nats-server; there was no coordinator' | 'nothing was running'

const endPatienceMs = 10_000

export function addDown(program: Command): void {
  addVerb(program, 'down', 'end the coordinator and the embedded nats-server; containers run on')
    .option('--containers', 'kill and delete all containers before')
    .action(async ({containers = false}: {readonly containers?: boolean}, command: Command) => {
      const options = resolveNodeOptions(command)
      const outcome = await end(options, containers)
      if (options.json) printJson({outcome})
      else console.log(outcome)
    })
}

async function end(options: NodeOptions, containers: boolean): Promise<Outcome> {
  try {
    await using client = await connect(options)
    const {coordinatorPid} = await client.info()
    const {isAlive, readProcessIdentity} = await import('../linux/process-table.ts')
    const coordinator = readProcessIdentity(coordinatorPid)
    await client.shutdown({containers})
    const clock = createSystemClock()
    for (const giveUpAt = clock.now() + endPatienceMs; coordinator && isAlive(coordinator); await clock.sleep(10)) {
      if (clock.now() > giveUpAt)
        throw new TallyError('TIMED_OUT', `the coordinator, pid ${coordinatorPid}, did not end within ${endPatienceMs / 1000} s`)
    }
    return 'ended'
  } catch (error) {
    const {code} = toErrorBody(error)
    if (code !== 'NODE_NOT_RUNNING' && code !== 'NATS_UNREACHABLE') throw error
    if (containers)
      throw new TallyError('NODE_NOT_RUNNING', 'deleting containers needs a coordinator, and none answers: `tally up -d` first', {
        cause: error,
      })
    return (await stopServer(options)) ? 'ended nats-server; there was no coordinator' : 'nothing was running'
  }
}

async function stopServer({stateDir, runDir}: NodeOptions): Promise<boolean> {
  const {stopEmbeddedServer} = await import('../messaging/embedded-server.ts')
  return await stopEmbeddedServer({dir: join(stateDir, 'nats'), runDir, clock: createSystemClock()})
}

/** `upgrade`: every supervisor, shim and the coordinator of the node become those that this command was installed with. */
import {execFile} from 'node:child_process'
import {join} from 'node:path'
import {promisify} from 'node:util'
import type {Command} from 'commander'
import type {ContainerView} from '../../machines/views/view.ts'
import type {UpgradeReply} from '../../machines/views/upgrade.ts'
import type {TallyClient} from '../client/client.ts'
import {TallyError, toErrorBody} from '../kernel/errors.ts'
import {version} from '../kernel/version.ts'
import {exitCodes} from './exit-codes.ts'
import {dist, nodeOptions} from './installed.ts'
import {resolveNodeOptions} from './node-options.ts'
import {printJson, printNote} from './print.ts'
import {addVerb, connect} from './verb.ts'

interface Upgraded {
  readonly container: string
  readonly outcome: UpgradeReply['outcome']
  readonly why?: string | undefined
}

/** How many containers at once: each starts a supervisor. */
const atOnce = 4
const probeMs = 20_000

export function addUpgrade(program: Command): void {
  addVerb(program, 'upgrade', 'move coordinator, supervisors and shims to the version of this command; containers are not touched').action(
    async (_flags: unknown, command: Command) => {
      const options = resolveNodeOptions(command)
      const {upgradeCoordinator} = await import('./upgrade-coordinator.ts')
      await assertRuns()
      await using client = await connect(options)
      const coordinator = await upgradeCoordinator(client, options)
      const say = (text: string) => (options.json ? undefined : process.stdout.write(`${text}\n`))
      say(`coordinator: ${coordinator.outcome} (${coordinator.version})`)
      if (coordinator.why !== undefined) printNote(coordinator.why)
      const all = coordinator.outcome === 'kept' ? [] : await upgradeAll(client, ({container, outcome}) => say(`${container}: ${outcome}`))
      const kept = all.filter(({outcome}) => outcome === 'kept').map(({container, why}) => ({container, why: why ?? ''}))
      const names = (wanted: UpgradeReply['outcome']) => all.filter(({outcome}) => outcome === wanted).map(({container}) => container)
      if (options.json)
        printJson({
          upgraded: [...names('upgraded'), ...names('asleep')],
          asleep: names('asleep'),
          atRest: names('at-rest'),
          kept,
          coordinator,
        })
      else for (const {container, why} of kept) printNote(`${container} stays as it is: ${why}`)
      if (kept.length > 0 || coordinator.why !== undefined) process.exitCode = exitCodes.failed
    },
  )
}

/** Before anything is moved. @throws TallyError UNSUPPORTED when one of the programs cannot be executed here */
async function assertRuns(): Promise<void> {
  for (const name of ['coordinator.js', 'supervisor.js']) {
    const path = join(dist, name)
    const {stdout} = await promisify(execFile)(process.execPath, [...nodeOptions, path, '--version'], {timeout: probeMs}).catch(
      (cause: unknown) => {
        throw new TallyError('UNSUPPORTED', `${path} cannot be executed, nothing was moved: ${describe(cause)}`, {cause})
      },
    )
    if (stdout.trim() !== version)
      throw new TallyError('UNSUPPORTED', `expected ${path} to be version ${version}, got ${JSON.stringify(stdout)}; nothing was moved`)
  }
}

function describe(error: unknown): string {
  const {message} = toErrorBody(error)
  return message.split('\n').filter(Boolean).slice(0, 6).join('; ')
}

async function upgradeAll(client: TallyClient, onDone: (done: Upgraded) => void): Promise<readonly Upgraded[]> {
  const waiting = [...(await client.list({all: true}))]
  const all: Upgraded[] = []
  const work = async () => {
    for (let view = waiting.shift(); view; view = waiting.shift()) {
      const done = await upgradeOne(client, view)
      if (!done) continue
      all.push(done)
      onDone(done)
    }
  }
  await Promise.all(Array.from({length: atOnce}, work))
  return all
}

/** @returns undefined of a container that has been deleted meanwhile */
async function upgradeOne(client: TallyClient, {namespace, id}: ContainerView): Promise<Upgraded | undefined> {
  const container = `${namespace}/${id}`
  try {
    return {container, ...(await client.upgrade(id, namespace))}
  } catch (error) {
    const {code, message} = toErrorBody(error)
    return code === 'CONTAINER_NOT_FOUND' ? undefined : {container, outcome: 'kept', why: `${message} [${code}]`}
  }
}

/** Moves the coordinator of a node, and the shim above it, to the program that this command was installed with. */
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import type {NodeInfo} from '../../machines/views/view.ts'
import type {TallyClient} from '../client/client.ts'
import {TallyError} from '../kernel/errors.ts'
import {toNodeSocket} from '../kernel/lock-file.ts'
import {digestProgram} from '../kernel/program-digest.ts'
import {version} from '../kernel/version.ts'
import {connectShimControl, type ShimControl} from '../shim/client/control.ts'
import {toCoordinatorCommand} from '../shim/client/coordinator-command.ts'
import {shimProgram} from '../shim/client/program.ts'
import {replaceImage} from '../shim/client/replace-image.ts'
import {dist, nodeOptions} from './installed.ts'
import type {NodeOptions} from './node-options.ts'
import {readLastError, toCoordinatorLog} from './node-parent.ts'

export type CoordinatorOutcome =
  | {readonly outcome: 'upgraded' | 'current'; readonly version: string; readonly why?: string}
  /** It runs the program before; then no container is moved either. */
  | {readonly outcome: 'kept'; readonly version: string; readonly why: string}

const patienceMs = 30_000
const answerMs = 2_000
const pollMs = 50
/** One may be killed by somebody else. */
const mostDeaths = 1

const wanted = toCoordinatorCommand(dist, [process.execPath, ...nodeOptions])

/** @throws TallyError UNSUPPORTED when nothing starts another coordinator, or the node is on another machine */
export async function upgradeCoordinator(client: TallyClient, options: NodeOptions): Promise<CoordinatorOutcome> {
  const info = await client.info()
  const parent = await connectParent(info, options)
  if (!parent) {
    if (isWanted(info)) return {outcome: 'current', version}
    throw new TallyError(
      'UNSUPPORTED',
      `the coordinator of node ${info.node} has no shim that could start another program: \`systemctl restart tallyman\` beneath systemd, ` +
        'otherwise `tally down` and `tally up`; then repeat this, which moves the containers',
    )
  }
  using control = parent
  const refused = await replaceShim(options, info)
  const why = refused === undefined ? {} : {why: `its shim stays: ${refused}`}
  if (isWanted(info)) return {outcome: 'current', version, ...why}
  // The former connection has ended with the image.
  using present = refused === undefined ? await connectShimControl(toNodeSocket(options.runDir)) : control
  const failed = await replaceProgram(client, present, wanted, () => client.restart())
  if (failed === undefined) return {outcome: 'upgraded', version, ...why}
  return {outcome: 'kept', version: info.version, why: await goBack(client, present, {info, options, failed})}
}

async function connectParent({parent}: NodeInfo, {runDir}: NodeOptions): Promise<ShimControl | undefined> {
  if (!parent) return undefined
  try {
    return await connectShimControl(toNodeSocket(runDir))
  } catch (cause) {
    throw new TallyError(
      'UNSUPPORTED',
      `expected the shim of the coordinator at ${toNodeSocket(runDir)}: a node is upgraded where it runs`,
      {
        cause,
      },
    )
  }
}

/** @returns why it stays */
async function replaceShim({runDir}: NodeOptions, {parent}: NodeInfo): Promise<string | undefined> {
  using control = await connectShimControl(toNodeSocket(runDir))
  const replaced = await replaceImage(control, {pid: parent?.pid ?? 0, image: shimProgram(dist)})
  return replaced.type === 'refused' ? replaced.why : undefined
}

function isWanted({program}: NodeInfo): boolean {
  return program?.command.join('\0') === wanted.join('\0') && program.digest === digestProgram(join(dist, 'coordinator.js'))
}

/** @returns why there is none of that program */
async function replaceProgram(
  client: TallyClient,
  control: ShimControl,
  command: readonly string[],
  replace: () => Promise<unknown>,
): Promise<string | undefined> {
  await control.command(command)
  const before = await control.status()
  await replace()
  for (const giveUpAt = performance.now() + patienceMs; performance.now() < giveUpAt; await sleep(pollMs)) {
    const {phase, starts, deaths} = await control.status()
    if (phase === 'gave-up' || deaths - before.deaths > mostDeaths) return `it has died ${deaths - before.deaths} times`
    if (phase === 'up' && starts > before.starts && (await runs(client, command))) return undefined
  }
  return `it does not answer within ${patienceMs / 1_000} s`
}

async function runs(client: TallyClient, command: readonly string[]): Promise<boolean> {
  const info = await Promise.race([client.info().catch(() => undefined), sleep(answerMs, undefined)])
  return info?.program?.command.join('\0') === command.join('\0')
}

interface Failed {
  readonly info: NodeInfo
  readonly options: NodeOptions
  readonly failed: string
}

/** @returns what is to be said of it */
async function goBack(client: TallyClient, control: ShimControl, {info, options, failed}: Failed): Promise<string> {
  const last = readLastError(toCoordinatorLog(options.stateDir))
  const why = `the coordinator of version ${version} does not come up: ${failed}${last ? `; its last error: ${last.message} [${last.code}]` : ''}`
  const former = info.program?.command
  if (!former) return `${why}; how the one before was started is not known`
  const left = await replaceProgram(client, control, former, async () => {
    const {pid} = await control.status()
    if (pid !== undefined) kill(pid)
    await control.wake({force: true})
  })
  return left === undefined ? `${why}; ${info.version} is back` : `${why}; nor does the one before: ${left}`
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

/** Has the shim of a container start another program as its supervisor, and go back to the one before when that does not come up. */
import {accessSync} from 'node:fs'
import {type RelieveReply, relieveReplySchema, type UpgradeReply} from '../../../machines/views/upgrade.ts'
import type {NatsConnection} from 'nats'
import type {Clock} from '../../kernel/clock.ts'
import type {Logger} from '../../kernel/log.ts'
import type {ContainerName} from '../../layout/container-name.ts'
import {requestJson} from '../../messaging/codec.ts'
import type {Subjects} from '../../messaging/subjects.ts'
import type {ShimControl, ShimStatus} from '../../shim/client/control.ts'

export interface RelieveDependencies {
  readonly node: string
  readonly subjects: Subjects
  readonly session: () => NatsConnection | undefined
  /** The path of the bundle that a supervisor of the new program runs. */
  readonly bundle: string
  readonly clock: Pick<Clock, 'elapsed' | 'sleep'>
  readonly logger: Logger
}

export interface Relief {
  readonly name: ContainerName
  readonly control: Pick<ShimControl, 'command' | 'status' | 'wake'>
  /** How the new supervisor is started. */
  readonly command: readonly string[]
}

/** For a command that is in flight, and for the new supervisor to come up. */
const patienceMs = 15_000
const pollMs = 25
const answerMs = 2_000
/** One may be killed by somebody else. */
const mostDeaths = 1

export async function relieveSupervisor(dependencies: RelieveDependencies, relief: Relief): Promise<UpgradeReply> {
  const {clock} = dependencies
  const {control, command} = relief
  await control.command(command)
  const before = await control.status()
  // It tries again what it had no hope for.
  if (before.phase === 'gave-up') await control.wake({force: true})
  let former: RelieveReply | undefined
  /** The supervisor that has been asked to leave, by how many were started with it. */
  let asked: number | undefined
  for (const giveUpAt = clock.elapsed() + patienceMs; clock.elapsed() < giveUpAt; await clock.sleep(pollMs)) {
    const status = await control.status()
    if (status.phase === 'gave-up' || status.deaths - before.deaths > mostDeaths)
      return await goBack(dependencies, relief, {former, status})
    // One that gives way is asleep for a moment; its successor may have fallen asleep by now.
    if (status.phase === 'asleep' && status.starts !== asked) return {outcome: asked === undefined ? 'asleep' : 'upgraded'}
    if (status.phase !== 'up' || status.starts === asked) continue
    const reply = await ask(dependencies, relief)
    if (reply?.leaves === false) return {outcome: 'upgraded'}
    if (!reply) continue
    former = reply
    asked = status.starts
  }
  const status = await control.status()
  if (status.starts === asked) return kept('a command is in flight; the new program takes over after it')
  return await goBack(dependencies, relief, {former, status})
}

/** On the subject of the supervisor alone: one that sleeps is not woken by it. @returns undefined when none answers */
async function ask({node, subjects, session, bundle, logger}: RelieveDependencies, {name}: Relief): Promise<RelieveReply | undefined> {
  const connection = session()
  const own = subjects.toOwn(subjects.containerCommand({node, ...name}, 'relieve'))
  if (!connection || own === undefined) return undefined
  try {
    return await requestJson(connection, own, {unless: bundle}, {schema: relieveReplySchema, timeoutMs: answerMs})
  } catch (error) {
    logger.debug({err: error, ...name}, 'a supervisor does not answer to being relieved')
    return undefined
  }
}

interface Failure {
  readonly former: RelieveReply | undefined
  readonly status: ShimStatus
}

async function goBack(
  dependencies: RelieveDependencies,
  {name, control, command}: Relief,
  {former, status}: Failure,
): Promise<UpgradeReply> {
  const {clock, logger} = dependencies
  const failed = `a supervisor of the new program does not come up (${describe(status)}; supervisors.log may say why)`
  logger.error({...name, deaths: status.deaths, last: status.last}, failed)
  if (!former) return kept(failed)
  if (former.command.join('\0') === command.join('\0') || !isThere(former))
    return kept(`${failed}, and the one before is not there any more`)
  await control.command(former.command)
  // It hangs. The shim starts the next one.
  const present = await control.status()
  if (present.phase === 'up' && present.pid !== undefined) kill(present.pid)
  await control.wake({force: true})
  for (const giveUpAt = clock.elapsed() + patienceMs; clock.elapsed() < giveUpAt; await clock.sleep(pollMs)) {
    const {phase, deaths} = await control.status()
    if (phase === 'gave-up' || deaths > present.deaths + 2) break
    if (phase === 'asleep' || (phase === 'up' && (await isAwake(dependencies, name))))
      return kept(`${failed}: it is back at ${former.version}`)
  }
  return kept(`${failed}, nor does one of the program before, ${former.version}`)
}

async function isAwake({node, subjects, session}: RelieveDependencies, name: ContainerName): Promise<boolean> {
  const connection = session()
  if (!connection) return false
  return await connection.request(subjects.awake({node, ...name}), '', {timeout: answerMs}).then(
    () => true,
    () => false,
  )
}

function describe({last, phase}: ShimStatus): string {
  return last && phase !== 'up' ? `the last one ended with ${JSON.stringify(last)}` : 'it does not answer'
}

function isThere({command, program}: RelieveReply): boolean {
  try {
    for (const path of [command[0] ?? '', program]) accessSync(path)
    return true
  } catch {
    return false
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

function kept(why: string): UpgradeReply {
  return {outcome: 'kept', why}
}

/**
 * Moves one container to the program that this coordinator runs: the shim replaces its image, and the supervisor gives way to one of the new
 * program as it would fall asleep. A new one that does not come up is replaced by one of the old program.
 *
 * MUST hold: the container is not touched, whatever dies meanwhile; achieved by the shim, which starts a supervisor in any case, of the program
 * that it was told last.
 */
import {foldEvents} from '../../../machines/ledger/ledger.ts'
import type {UpgradeReply} from '../../../machines/views/upgrade.ts'
import {readJournalFile} from '../../journal/file-journal.ts'
import type {Clock} from '../../kernel/clock.ts'
import {TallyError} from '../../kernel/errors.ts'
import type {Logger} from '../../kernel/log.ts'
import {type ContainerLayout, type Directories, toContainerLayout} from '../../layout/container-layout.ts'
import type {ContainerName} from '../../layout/container-name.ts'
import {findLockHolder} from '../../linux/lock-holder.ts'
import {connectShimControl, type ShimControl} from '../../shim/client/control.ts'
import {replaceImage} from '../../shim/client/replace-image.ts'
import {toAssignmentArguments} from '../../supervisor/assignment.ts'
import {identifyContainer, isJournalLocked} from '../directories/containers.ts'
import {toSupervisorCommand} from '../supervision/supervisors.ts'
import {type RelieveDependencies, relieveSupervisor} from './relieve-supervisor.ts'

export interface UpgradeDependencies extends RelieveDependencies {
  readonly directories: Directories
  /** The bundled supervisor, and its shim. */
  readonly program: string
  readonly shimProgram: string
  readonly clock: Pick<Clock, 'elapsed' | 'sleep'>
  readonly logger: Logger
}

const nobodyThere = new Set(['ENOENT', 'ECONNREFUSED'])

/** @returns what moves a container; several calls for one are the same. @throws TallyError CONTAINER_NOT_FOUND */
export function createUpgrade(dependencies: UpgradeDependencies): (name: ContainerName) => Promise<UpgradeReply> {
  const running = new Map<string, Promise<UpgradeReply>>()
  return async (name) => {
    const key = `${name.namespace}/${name.id}`
    const reply = running.get(key) ?? upgrade(dependencies, name).finally(() => running.delete(key))
    running.set(key, reply)
    return await reply
  }
}

async function upgrade(dependencies: UpgradeDependencies, name: ContainerName): Promise<UpgradeReply> {
  const {node, directories, program, logger} = dependencies
  const {namespace, id} = name
  const layout = toContainerLayout(directories, name, '')
  const container = identifyContainer(directories, name)
  if (!container)
    throw new TallyError('CONTAINER_NOT_FOUND', `no container ${id} in namespace ${namespace}`, {details: {node, namespace, id}})
  const command = [...toSupervisorCommand(program), ...toAssignmentArguments({node, ...container, work: {type: 'recover', exits: []}})]
  try {
    const unreadable = findUnreadable(layout)
    if (unreadable !== undefined) return kept(`this version cannot read its journal: ${unreadable}`)
    const refused = await replaceShim(dependencies, layout)
    using control = await connectShimControl(layout.shimSocket)
    const relieved = await relieveSupervisor(dependencies, {name, control, command})
    const reply: UpgradeReply = refused === undefined || relieved.outcome === 'kept' ? relieved : kept(`its shim stays: ${refused}`)
    logger.info({...name, ...reply}, 'moved a container to this program')
    return reply
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    // It has come to rest meanwhile: shim and supervisor have ended.
    if (code === 'ECONNRESET' || code === 'EPIPE') return {outcome: 'at-rest'}
    if (!nobodyThere.has(code)) throw error
    return isJournalLocked(layout.journal) ? kept('its supervisor has no shim: it is of a release before them') : {outcome: 'at-rest'}
  }
}

/** @returns why the shim goes on as it is */
async function replaceShim({shimProgram}: UpgradeDependencies, {shimSocket, runDir}: ContainerLayout): Promise<string | undefined> {
  using control: ShimControl = await connectShimControl(shimSocket)
  // It has the lock of the directory in which it listens.
  const pid = findLockHolder(runDir)
  if (pid === undefined) return 'which process it is cannot be found'
  const replaced = await replaceImage(control, {pid, image: shimProgram})
  return replaced.type === 'refused' ? replaced.why : undefined
}

/** A sleeper would tell only when it wakes. */
function findUnreadable({journal}: ContainerLayout): string | undefined {
  try {
    foldEvents(readJournalFile(journal))
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function kept(why: string): UpgradeReply {
  return {outcome: 'kept', why}
}

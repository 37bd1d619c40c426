/** The state directories of this node's containers: reserving one, and finding out whether its container has a supervisor. */
import type {ContainerName} from '../../layout/container-name.ts'
import {closeSync, constants, existsSync, openSync, readdirSync, statSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {isId} from '../../../machines/ledger/ids.ts'
import {readJournalFile} from '../../journal/file-journal.ts'
import {TallyError} from '../../kernel/errors.ts'
import {isMissing, removeIfEmpty, toFileIdentity} from '../../kernel/files.ts'
import type {Logger} from '../../kernel/log.ts'
import {lockFile} from '../../linux/file-lock.ts'
import {listMountsBelow} from '../../linux/mount.ts'
import {type ContainerLayout, containersDir, type Directories, toContainerLayout} from '../../layout/container-layout.ts'
import {freeId, takeId} from '../../layout/shared-directories.ts'

/** Tells the reservation of an id from a later reservation of the same id. */
export type Reservation = string

/**
 * Takes the id, at once and for one caller only: mkdir(2) is atomic.
 * @throws TallyError CONTAINER_EXISTS, STATE_DIR_INVALID
 */
export function reserveContainer(directories: Directories, {namespace, id}: ContainerName): Reservation | undefined {
  const layout = toContainerLayout(directories, {namespace, id}, '')
  try {
    takeId(layout)
    return findReservation(layout)
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')
      throw new TallyError('CONTAINER_EXISTS', `the id ${id} is in use in namespace ${namespace}`, {details: {namespace, id}})
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new TallyError('STATE_DIR_INVALID', `cannot make the state directory of ${namespace}/${id}: ${why}`, {cause})
  }
}

/**
 * Undoes a reservation for which no journal was ever begun. It is done with the journal locked, and the journal is removed last: so a
 * supervisor that is just beginning, started by a coordinator that has died, keeps what it has made.
 * @param reservation the one to undo, where somebody else may have the id by now; any reservation when absent
 */
export function releaseContainer(directories: Directories, name: ContainerName, reservation?: Reservation): void {
  const layout = toContainerLayout(directories, name, '')
  if (reservation !== undefined && findReservation(layout) !== reservation) return
  const {stateDir, journal} = layout
  // Behind a mount are other people's files: `tally fsck` reports it.
  if (listMountsBelow(stateDir).length > 0) return
  let fd: number
  try {
    fd = openSync(journal, constants.O_RDWR | constants.O_CREAT, 0o600)
  } catch {
    // On a full disk there is no journal to lock. A directory in which somebody has made one in the meantime is not empty, and stays.
    for (const directory of [stateDir, dirname(stateDir)]) removeIfEmpty(directory)
    return
  }
  try {
    if (!lockFile(fd) || readUid(directories, name)) return
    freeId(layout)
  } finally {
    closeSync(fd)
  }
}

function findReservation({stateDir}: ContainerLayout): Reservation | undefined {
  const found = statSync(stateDir, {throwIfNoEntry: false, bigint: true})
  return found && toFileIdentity(found)
}

export function listContainers({stateDir}: Directories): readonly ContainerName[] {
  const root = containersDir(stateDir)
  return readDirectory(root).flatMap((namespace) => readDirectory(join(root, namespace)).map((id) => ({namespace, id})))
}

/** A container, told from a later one that has the same name. */
export interface ContainerIdentity extends ContainerName {
  readonly uid: string
}

/** @returns undefined when no journal was ever begun under that name, or it cannot be read */
export function identifyContainer(directories: Directories, name: ContainerName): ContainerIdentity | undefined {
  try {
    const uid = readUid(directories, name)
    return uid === undefined ? undefined : {namespace: name.namespace, id: name.id, uid}
  } catch {
    return undefined
  }
}

/**
 * The container, if nobody has the lock of its journal: it has no supervisor that is up. A reservation that was never used is removed.
 * @returns undefined when it has a supervisor, or is no container
 */
export function findVacant(directories: Directories, name: ContainerName, logger: Logger): ContainerIdentity | undefined {
  const {stateDir, journal} = toContainerLayout(directories, name, '')
  // Deleted: its shim ends after it.
  if (!existsSync(stateDir) || isJournalLocked(journal)) return undefined
  try {
    const uid = readUid(directories, name)
    if (uid !== undefined) return {...name, uid}
    logger.warn({namespace: name.namespace, id: name.id}, 'removing a state directory whose container was never begun')
    releaseContainer(directories, name)
  } catch (error) {
    logger.error({err: error, ...name}, 'cannot take this container over')
  }
  return undefined
}

/** The process that was about to remove one may have been killed. One that is about to use it makes it again. */
export function removeEmptyNamespaces({stateDir}: Directories): void {
  const root = containersDir(stateDir)
  for (const namespace of readDirectory(root)) if (readDirectory(join(root, namespace)).length === 0) removeIfEmpty(join(root, namespace))
}

/** From the first event of its journal; undefined when there is none. */
function readUid(directories: Directories, name: ContainerName): string | undefined {
  try {
    for (const {uid} of readJournalFile(toContainerLayout(directories, name, '').journal)) return uid
  } catch (error) {
    if (!isMissing(error)) throw error
  }
  return undefined
}

/** A supervisor has it: each locks the journal of its container for as long as it lives. */
export function isJournalLocked(journal: string): boolean {
  try {
    const fd = openSync(journal, constants.O_RDWR)
    try {
      return !lockFile(fd)
    } finally {
      closeSync(fd)
    }
  } catch {
    // There is no journal, and so no lock.
    return false
  }
}

function readDirectory(directory: string): readonly string[] {
  try {
    return readdirSync(directory).filter(isId)
  } catch {
    return []
  }
}

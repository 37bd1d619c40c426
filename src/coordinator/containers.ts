/** The state directories of this node's containers: reserving one, and finding those that nobody looks after. */
import {closeSync, constants, mkdirSync, openSync, readdirSync, rmSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {isId} from '../../machines/ids.ts'
import {readJournalFile} from '../journal/file-journal.ts'
import {TallyError} from '../kernel/errors.ts'
import {isMissing, removeIfEmpty} from '../kernel/files.ts'
import type {Logger} from '../kernel/log.ts'
import {lockFile} from '../linux/file-lock.ts'
import {listMountsBelow} from '../linux/mount.ts'
import {containersDir, type Directories, toContainerLayout} from '../supervisor/layout.ts'

export interface ContainerName {
  readonly namespace: string
  readonly id: string
}

/**
 * Takes the id, at once and for one caller only: mkdir(2) is atomic.
 * @throws TallyError CONTAINER_EXISTS, STATE_DIR_INVALID
 */
export function reserveContainer(directories: Directories, {namespace, id}: ContainerName): void {
  const {stateDir} = toContainerLayout(directories, {namespace, id}, '')
  for (let attempt = 1; ; attempt += 1) {
    try {
      mkdirSync(dirname(stateDir), {recursive: true, mode: 0o700})
      mkdirSync(stateDir, {mode: 0o700})
      return
    } catch (cause) {
      const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
      if (code === 'EEXIST') {
        throw new TallyError('CONTAINER_EXISTS', `the id ${id} is in use in namespace ${namespace}`, {details: {namespace, id}})
      }
      // The last container of the namespace was deleted in between, and its directory with it.
      if (code !== 'ENOENT' || attempt === 5) {
        const why = cause instanceof Error ? cause.message : String(cause)
        throw new TallyError('STATE_DIR_INVALID', `cannot make the state directory of ${namespace}/${id}: ${why}`, {cause})
      }
    }
  }
}

/**
 * Undoes a reservation for which no journal was ever begun. The lock of the journal is had meanwhile, and the journal is the last to
 * go: a supervisor that is just beginning, for a coordinator now dead, keeps what it has made.
 */
export function releaseContainer(directories: Directories, name: ContainerName): void {
  const {stateDir, journal} = toContainerLayout(directories, name, '')
  // Behind a mount are other people's files: `tally fsck` tells of it.
  if (listMountsBelow(stateDir).length > 0) return
  let fd: number
  try {
    fd = openSync(journal, constants.O_RDWR | constants.O_CREAT, 0o600)
  } catch {
    // On a full disk there is none to hold; a directory in which somebody has made one meanwhile stays.
    removeIfEmpty(stateDir)
    return
  }
  try {
    if (!lockFile(fd) || readUid(directories, name)) return
    for (const entry of readdirSync(stateDir)) {
      const path = join(stateDir, entry)
      if (path !== journal) rmSync(path, {recursive: true, force: true})
    }
    rmSync(journal)
    removeIfEmpty(stateDir)
  } finally {
    closeSync(fd)
  }
}

export function listContainers({stateDir}: Directories): readonly ContainerName[] {
  const root = containersDir(stateDir)
  return readDirectory(root).flatMap((namespace) => readDirectory(join(root, namespace)).map((id) => ({namespace, id})))
}

export interface Orphan extends ContainerName {
  readonly uid: string
}

/**
 * Containers whose journal nobody holds: their supervisor is dead. Reservations that were never used are removed.
 * @param isAssigned whether a supervisor has just been given this one, and may not hold its journal yet
 */
export function findOrphans(directories: Directories, isAssigned: (name: ContainerName) => boolean, logger: Logger): readonly Orphan[] {
  return listContainers(directories).flatMap((name) => {
    if (isAssigned(name) || isHeld(toContainerLayout(directories, name, '').journal)) return []
    try {
      const uid = readUid(directories, name)
      if (uid) return [{...name, uid}]
      logger.warn(name, 'removing a state directory whose container was never begun')
      releaseContainer(directories, name)
    } catch (error) {
      logger.error({err: error, ...name}, 'cannot take this container over')
    }
    return []
  })
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

/** Somebody holds it. */
export function isHeld(journal: string): boolean {
  try {
    const fd = openSync(journal, constants.O_RDWR)
    try {
      return !lockFile(fd)
    } finally {
      closeSync(fd)
    }
  } catch {
    // No journal, nobody to hold it.
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

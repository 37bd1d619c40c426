/**
 * Removes what belongs to no container. MUST hold: nothing of a container that exists is touched; achieved by taking the id, as a create
 * does, for as long as the removal takes: nobody can create a container with that id, and where there is one, nothing is done.
 */
import {lstatSync, realpathSync, rmSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {isId} from '../../machines/ledger/ids.ts'
import type {Clock} from '../kernel/clock.ts'
import {TallyError} from '../kernel/errors.ts'
import {removeIfEmpty} from '../kernel/files.ts'
import {findCgroups, readCgroupProcesses, removeCgroup} from '../linux/cgroup.ts'
import {listMountsBelow, unmount} from '../linux/mount.ts'
import {type Directories, toContainerLayout} from '../layout/container-layout.ts'
import {leaveSharedDirectories, takeId} from '../layout/shared-directories.ts'
import type {Repair} from './findings.ts'
import type {ContainerName} from '../layout/container-name.ts'

export type RepairHandlers = {
  readonly [T in Repair['type']]: (repair: Extract<Repair, {readonly type: T}>) => Promise<void>
}

export interface RepairDependencies {
  /** With its processes. A container that is not there any more is no error. */
  readonly deleteFromRuntime: (name: ContainerName) => Promise<void>
  readonly republish: (name: ContainerName) => Promise<void>
  readonly clock: Pick<Clock, 'elapsed' | 'sleep'>
}

const killPatienceMs = 5_000
const pollMs = 20

/** Each rejects with the reason for which it was not done. */
export function createRepairs(directories: Directories, {deleteFromRuntime, republish, clock}: RepairDependencies): RepairHandlers {
  return {
    'delete-from-runtime': (repair) => withId(repair, () => deleteFromRuntime(repair)),
    // The uid is in its name: a container that has the id now has another group.
    'remove-cgroup': ({path}) => removeGroup(path),
    'remove-run-dir': (repair) =>
      withId(repair, async () => {
        const layout = toContainerLayout(directories, repair, '')
        removeTree(layout.runDir, directories.runDir)
        leaveSharedDirectories(layout)
      }),
    'remove-state-dir': async (repair) => {
      const {stateDir, journal} = toContainerLayout(directories, checked(repair), '')
      if (isThere(journal) && lstatSync(journal).size > 0) throw inUse(repair)
      for (const target of listMountsBelow(stateDir)) unmount(target)
      removeTree(stateDir, directories.stateDir)
      removeIfEmpty(dirname(stateDir))
    },
    republish,
  }

  /** Takes the id as a create does: by making its state directory, in which only one caller succeeds. */
  async function withId(name: ContainerName, work: () => Promise<void>): Promise<void> {
    const {stateDir} = toContainerLayout(directories, checked(name), '')
    try {
      takeId(toContainerLayout(directories, name, ''))
    } catch (cause) {
      throw inUse(name, cause)
    }
    try {
      await work()
    } finally {
      removeIfEmpty(stateDir)
      removeIfEmpty(dirname(stateDir))
    }
  }

  async function removeGroup(path: string): Promise<void> {
    if (!/^\/tally-[\w-]+$/.test(path)) throw new TallyError('INTERNAL', `expected a group of a container, got ${path}`)
    for (const giveUpAt = clock.elapsed() + killPatienceMs; ; await clock.sleep(pollMs)) {
      const left = findCgroups(path)
      for (const pid of left.flatMap(readCgroupProcesses)) kill(pid)
      if (left.map(removeCgroup).every(Boolean)) return
      if (clock.elapsed() > giveUpAt) throw new TallyError('TIMED_OUT', `the groups ${left.join(', ')} cannot be removed`)
    }
  }
}

function checked(name: ContainerName): ContainerName {
  if (!isId(name.namespace) || !isId(name.id))
    throw new TallyError('INTERNAL', `expected the name of a container, got ${name.namespace}/${name.id}`)
  return name
}

function inUse({namespace, id}: ContainerName, cause?: unknown): TallyError {
  return new TallyError('CONTAINER_EXISTS', `the id ${id} is in use in namespace ${namespace}`, {details: {namespace, id}, cause})
}

/** @throws TallyError STATE_DIR_INVALID when the path leads elsewhere through a link, MOUNT_FAILED when something is mounted in it */
function removeTree(directory: string, root: string): void {
  if (!isThere(directory)) return
  const expected = join(realpathSync(root), directory.slice(root.length))
  if (realpathSync(directory) !== expected)
    throw new TallyError('STATE_DIR_INVALID', `expected ${directory} to be ${expected}, got a link to ${realpathSync(directory)}`)
  const [mounted] = listMountsBelow(expected)
  if (mounted !== undefined) throw new TallyError('MOUNT_FAILED', `expected nothing to be mounted below ${directory}, got ${mounted}`)
  rmSync(directory, {recursive: true, force: true})
}

function isThere(path: string): boolean {
  return lstatSync(path, {throwIfNoEntry: false}) !== undefined
}

/** It may have ended since it was listed. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {}
}

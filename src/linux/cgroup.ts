/** Control groups as the kernel shows them: v1, v2 and both at once (hybrid). */
import {existsSync, readdirSync, readFileSync, rmdirSync} from 'node:fs'
import {join, relative} from 'node:path'

/**
 * The directories that account for a process and not for this one: one per mounted hierarchy, without the root group and
 * without groups in which this process is too. MUST hold: what is in them may be killed; a runtime that leaves a hierarchy
 * alone (runc does v1 `misc`) leaves the container in our group there, together with everything else of the session.
 * From /proc/<pid>/cgroup (cgroups(7)) and /proc/self/mountinfo (proc(5)).
 */
export function readCgroupDirectories(pid: number): readonly string[] {
  const mounts = parseMounts(readFileSync('/proc/self/mountinfo', 'utf8'))
  const ours = new Set(toDirectories(readFileSync('/proc/self/cgroup', 'utf8'), mounts))
  return toDirectories(readFileSync(`/proc/${pid}/cgroup`, 'utf8'), mounts).filter((directory) => !ours.has(directory))
}

/** Processes in a group and the groups below it; none when the group is gone. */
export function readCgroupProcesses(directory: string): readonly number[] {
  try {
    const listed = readFileSync(join(directory, 'cgroup.procs'), 'utf8').split('\n').map(Number)
    // 0 stands for a process that cannot be seen from this pid namespace; to kill(2) it would be our own process group.
    const own = listed.filter((pid) => pid > 0)
    const below = readdirSync(directory, {withFileTypes: true}).filter((entry) => entry.isDirectory())
    return [...own, ...below.flatMap(({name}) => readCgroupProcesses(join(directory, name)))]
  } catch (error) {
    if (hasNoProcesses(error)) return []
    throw error
  }
}

/** Where a group of this path is, in whichever hierarchy there is one. */
export function findCgroups(path: string): readonly string[] {
  return parseMounts(readFileSync('/proc/self/mountinfo', 'utf8'))
    .map(({directory}) => join(directory, path))
    .filter((directory) => existsSync(directory))
}

/**
 * Removes a group and those below it.
 * @returns false when something is in it still (EBUSY)
 */
export function removeCgroup(directory: string): boolean {
  try {
    const below = readdirSync(directory, {withFileTypes: true}).filter((entry) => entry.isDirectory())
    if (!below.every(({name}) => removeCgroup(join(directory, name)))) return false
    rmdirSync(directory)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EBUSY') return false
    if (hasNoProcesses(error)) return true
    throw error
  }
}

/** The group is gone (ENODEV when it went while it was open), or its processes are listed above it, as in a threaded group. */
function hasNoProcesses(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['ENOENT', 'ENODEV', 'ENOTSUP'].includes(String(error.code))
}

/** A mounted hierarchy. */
export interface CgroupMount {
  /** Where it is mounted. */
  readonly directory: string
  /** The group that is seen there; `/` but where a container was given a part of its host's tree. */
  readonly root: string
  readonly type: 'cgroup' | 'cgroup2'
  readonly options: readonly string[]
}

/** @param mountinfo text of /proc/<pid>/mountinfo */
export function parseMounts(mountinfo: string): readonly CgroupMount[] {
  return mountinfo.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ')
    const [type, , options = ''] = after.split(' ')
    const [, , , root, directory] = before.split(' ')
    if ((type !== 'cgroup' && type !== 'cgroup2') || root === undefined || directory === undefined) return []
    return [{directory, root, type, options: options.split(',')}]
  })
}

/** @param cgroup text of /proc/<pid>/cgroup. @returns the groups that can be seen from here, but for the root of a hierarchy. */
export function toDirectories(cgroup: string, mounts: readonly CgroupMount[]): readonly string[] {
  return cgroup
    .trimEnd()
    .split('\n')
    .flatMap((line) => {
      const [, controllers = '', ...path] = line.split(':')
      const mount = mounts.find((candidate) => serves(candidate, controllers))
      if (!mount) return []
      const below = relative(mount.root, path.join(':'))
      return below === '' || below.startsWith('..') ? [] : [join(mount.directory, below)]
    })
}

/** v2 has no controllers in its line; v1 names those of the mount, or a `name=`. */
function serves(mount: CgroupMount, controllers: string): boolean {
  if (controllers === '') return mount.type === 'cgroup2'
  return mount.type === 'cgroup' && controllers.split(',').every((controller) => mount.options.includes(controller))
}

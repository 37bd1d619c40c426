/** Control groups as the kernel shows them: v1, v2 and both at once (hybrid). */
import {existsSync, readdirSync, readFileSync, rmdirSync} from 'node:fs'
import {join, relative} from 'node:path'

/**
 * The groups of a process, one directory per mounted hierarchy, without the root groups and without groups in which this process is, too.
 * MUST hold: everything in these groups may be killed; achieved by leaving out our own groups: in a hierarchy that the runtime does not
 * use (runc does not use v1 `misc`), a container is in the group of our session.
 * From /proc/<pid>/cgroup (cgroups(7)) and /proc/self/mountinfo (proc(5)).
 */
export function readCgroupDirectories(pid: number): readonly string[] {
  const mounts = parseMounts(readFileSync('/proc/self/mountinfo', 'utf8'))
  const ours = new Set(toDirectories(readFileSync('/proc/self/cgroup', 'utf8'), mounts))
  return toDirectories(readFileSync(`/proc/${pid}/cgroup`, 'utf8'), mounts).filter((directory) => !ours.has(directory))
}

/** Processes in a group and in the groups below it; none when the group is gone. */
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

/** The directories of a group, in all hierarchies that have it. */
export function findCgroups(path: string): readonly string[] {
  return parseMounts(readFileSync('/proc/self/mountinfo', 'utf8'))
    .map(({directory}) => join(directory, path))
    .filter((directory) => existsSync(directory))
}

/**
 * Removes a group and those below it.
 * @returns false when there are still processes in it (EBUSY)
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

/** The group is gone (ENODEV if it was removed while its file was open), or it is threaded, and its processes are listed above it. */
function hasNoProcesses(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['ENOENT', 'ENODEV', 'ENOTSUP'].includes(String(error.code))
}

/** A mounted hierarchy. */
export interface CgroupMount {
  /** Where it is mounted. */
  readonly directory: string
  /** The group that is mounted there: `/`, except in a container that sees a part of its host's tree. */
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

/** @param cgroup text of /proc/<pid>/cgroup. @returns the groups that can be seen from here, without the root of a hierarchy */
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

/** The line of v2 has no controllers; a line of v1 names those of the mount, or `name=` and a name. */
function serves(mount: CgroupMount, controllers: string): boolean {
  if (controllers === '') return mount.type === 'cgroup2'
  return mount.type === 'cgroup' && controllers.split(',').every((controller) => mount.options.includes(controller))
}

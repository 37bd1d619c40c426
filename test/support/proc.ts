/** What the kernel lists of processes, mounts and groups: read from /proc and /sys, where a process may end while it is read. */
import {existsSync, readdirSync, readFileSync, readlinkSync} from 'node:fs'
import {join} from 'node:path'
import {parseMounts} from '../../src/linux/cgroup.ts'
import {isAlive, readProcessIdentity} from '../../src/linux/process-table.ts'

/** Empty when there is no such file, or no such process any more. */
export function readProcFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** `<pid> <command line>`. */
export function describeProcess(pid: number): string {
  return `${pid} ${readProcFile(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim() || readProcFile(`/proc/${pid}/comm`).trim()}`
}

/** Whether it runs: a zombie does not. */
export function isRunning(pid: number): boolean {
  const identity = readProcessIdentity(pid)
  return identity !== undefined && isAlive(identity)
}

/** Whether its title, command line, environment or an open file names one of the directories. */
export function usesDirectory(pid: number, dirs: readonly string[]): boolean {
  const texts = [readProcFile(`/proc/${pid}/cmdline`), readProcFile(`/proc/${pid}/environ`), ...readLinks(`/proc/${pid}/fd`)]
  return texts.some((text) => dirs.some((dir) => text.includes(`${dir}/`) || text.endsWith(dir)))
}

/** Lines of mountinfo whose mount point is the directory or below it. */
export function listMountsBelow(dir: string): readonly string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
  return lines.filter((line) => {
    const mountPoint = toMountPoint(line)
    return mountPoint === dir || mountPoint.startsWith(`${dir}/`)
  })
}

/** Of a line of mountinfo. */
export function toMountPoint(line: string): string {
  return line.split(' ')[4] ?? ''
}

/** The groups at the top of every mounted hierarchy, where containers have theirs. @param prefix how their names begin */
export function listCgroups(prefix: string): readonly string[] {
  return cgroupHierarchies().flatMap((dir) =>
    readDirectory(dir)
      .filter((name) => name.startsWith(prefix))
      .map((name) => join(dir, name)),
  )
}

/** Where each hierarchy is mounted. */
export function cgroupHierarchies(): readonly string[] {
  return parseMounts(readFileSync('/proc/self/mountinfo', 'utf8'))
    .map(({directory}) => directory)
    .filter((directory) => existsSync(directory))
}

/** The pids of the group and of all groups below it. */
export function listMembers(cgroup: string): readonly number[] {
  const own = readProcFile(join(cgroup, 'cgroup.procs')).split('\n').filter(Boolean).map(Number)
  return [...own, ...listChildGroups(cgroup).flatMap(listMembers)]
}

export function listChildGroups(cgroup: string): readonly string[] {
  try {
    return readdirSync(cgroup, {withFileTypes: true})
      .filter((entry) => entry.isDirectory())
      .map(({name}) => join(cgroup, name))
  } catch {
    return []
  }
}

function readLinks(dir: string): readonly string[] {
  return readDirectory(dir).map((name) => {
    try {
      return readlinkSync(join(dir, name))
    } catch {
      return ''
    }
  })
}

function readDirectory(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

/** What a node may leave on the machine: looked for in the kernel's own lists, not in ours. */
import {existsSync, readdirSync, readFileSync, readlinkSync, rmdirSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {parseMounts} from '../../src/linux/cgroup.ts'
import {isAlive, listProcesses, readProcessIdentity, readProcessStat} from '../../src/linux/process-table.ts'

export interface Leftovers {
  /** Processes that have something open below the directories, or name them. */
  readonly processes: readonly string[]
  readonly zombies: readonly string[]
  readonly mounts: readonly string[]
  readonly cgroups: readonly string[]
  readonly fifosAndSockets: readonly string[]
}

const patienceMs = 3_000

/** What of others was there before: it cannot be told from ours by its name. */
export interface Inventory {
  readonly zombies: readonly string[]
  readonly cgroups: readonly string[]
}

export function takeInventory(): Inventory {
  return {zombies: listProcesses().filter(isZombieOfOurKind).map(describeProcess), cgroups: listCgroups('tally-')}
}

/** Which of what looks like ours is ours, where others test on the same machine: the containers of the node, by their uids. */
export interface Own {
  readonly dirs: readonly string[]
  /** All when absent. */
  readonly uids?: ReadonlySet<string>
}

/** Looks until there is nothing but what was there before, or for 3 s: a process that has been told to end takes a moment. */
export async function findLeftovers(own: Own, before: Inventory): Promise<Leftovers> {
  for (const giveUpAt = Date.now() + patienceMs; ; await sleep(50)) {
    const found = look(own, before)
    if (Date.now() > giveUpAt || Object.values(found).every((list) => list.length === 0)) return found
  }
}

export const nothing: Leftovers = {processes: [], zombies: [], mounts: [], cgroups: [], fifosAndSockets: []}

/** Ends what a failed test left running, so that the next one starts on a quiet machine. */
export async function sweep({processes, cgroups}: Leftovers): Promise<void> {
  const killed = [...processes.map((line) => Number.parseInt(line, 10)), ...cgroups.flatMap(listMembers)]
  for (const pid of killed) killIfAlive(pid)
  await sleep(200)
  for (const cgroup of cgroups) removeIfEmpty(cgroup)
}

function listMembers(cgroup: string): readonly number[] {
  return readProcFile(join(cgroup, 'cgroup.procs')).split('\n').filter(Boolean).map(Number)
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

function removeIfEmpty(cgroup: string): void {
  try {
    rmdirSync(cgroup)
  } catch {
    // The failed test tells of it.
  }
}

function look({dirs, uids}: Own, before: Inventory): Leftovers {
  const pids = listProcesses().filter((pid) => pid !== process.pid)
  const zombies = listProcesses()
    .filter((pid) => isZombieOfOurKind(pid) && !isOfAnotherNode(pid, dirs))
    .map(describeProcess)
  const cgroups = listCgroups('tally-').filter((path) => uids?.has(path.slice(-8)) !== false)
  return {
    processes: pids.filter((pid) => isConcerned(pid, dirs)).map(describeProcess),
    zombies: zombies.filter((zombie) => !before.zombies.includes(zombie)),
    mounts: dirs.flatMap(listMountsBelow),
    cgroups: cgroups.filter((cgroup) => !before.cgroups.includes(cgroup)),
    fifosAndSockets: dirs.flatMap(listSpecialFiles),
  }
}

function isConcerned(pid: number, dirs: readonly string[]): boolean {
  const identity = readProcessIdentity(pid)
  if (!identity || !isAlive(identity)) return false
  const texts = [readProcFile(`/proc/${pid}/cmdline`), readProcFile(`/proc/${pid}/environ`), ...readLinks(`/proc/${pid}/fd`)]
  return !isOwnTool(pid) && texts.some((text) => dirs.some((dir) => text.includes(`${dir}/`) || text.endsWith(dir)))
}

/** The test runner and its workers know the directories as well. */
function isOwnTool(pid: number): boolean {
  return pid === process.ppid || readProcFile(`/proc/${pid}/cmdline`).includes('vitest')
}

/** runc and busybox are what our supervisors would leave unreaped; node what we start ourselves. */
function isZombieOfOurKind(pid: number): boolean {
  if (readProcessStat(pid)?.state !== 'Z') return false
  return /^(tally-|runc|busybox|sh|sleep|nats-server)/.test(readProcFile(`/proc/${pid}/comm`))
}

/** Its parent works for a node that is not this test's, or for none. */
function isOfAnotherNode(pid: number, dirs: readonly string[]): boolean {
  const parentPid = readProcessStat(pid)?.parentPid
  // Whoever has lost its parent is for the host's init to reap, which may take its time.
  if (parentPid === 1) return true
  const environment = readProcFile(`/proc/${parentPid}/environ`)
  return environment.includes('TALLY_STATE_DIR=') && !dirs.some((dir) => environment.includes(dir))
}

function listSpecialFiles(dir: string): readonly string[] {
  try {
    return readdirSync(dir, {recursive: true, withFileTypes: true})
      .filter((entry) => entry.isFIFO() || entry.isSocket())
      .map((entry) => join(entry.parentPath, entry.name))
  } catch {
    return []
  }
}

export function describeProcess(pid: number): string {
  return `${pid} ${readProcFile(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim() || readProcFile(`/proc/${pid}/comm`).trim()}`
}

/** A process may end while it is looked at. */
export function readProcFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** Lines of mountinfo whose mount point is the directory or below it. */
export function listMountsBelow(dir: string): readonly string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
  return lines.filter((line) => {
    const mountPoint = line.split(' ')[4] ?? ''
    return mountPoint === dir || mountPoint.startsWith(`${dir}/`)
  })
}

/** In every mounted hierarchy, at its top: where containers have their groups. */
export function listCgroups(prefix: string): readonly string[] {
  return cgroupHierarchies().flatMap((dir) =>
    readdirSync(dir)
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

/** What a node may leave on the machine: looked for in the kernel's own lists, not in ours. */
import {readdirSync, readFileSync, readlinkSync} from 'node:fs'
import {join} from 'node:path'
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

/** Looks until there is nothing, or for 3 s: a process that has been told to end takes a moment. */
export async function findLeftovers(dirs: readonly string[]): Promise<Leftovers> {
  for (const giveUpAt = Date.now() + patienceMs; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
    const found = look(dirs)
    if (Date.now() > giveUpAt || Object.values(found).every((list) => list.length === 0)) return found
  }
}

export const nothing: Leftovers = {processes: [], zombies: [], mounts: [], cgroups: [], fifosAndSockets: []}

function look(dirs: readonly string[]): Leftovers {
  const pids = listProcesses().filter((pid) => pid !== process.pid)
  return {
    processes: pids.filter((pid) => isConcerned(pid, dirs)).map(describe),
    zombies: pids.filter((pid) => isOurZombie(pid)).map(describe),
    mounts: read('/proc/self/mountinfo')
      .split('\n')
      .filter((line) => dirs.some((dir) => line.includes(` ${dir}`))),
    cgroups: listCgroups(),
    fifosAndSockets: dirs.flatMap(listSpecialFiles),
  }
}

function isConcerned(pid: number, dirs: readonly string[]): boolean {
  const identity = readProcessIdentity(pid)
  if (!identity || !isAlive(identity)) return false
  const texts = [read(`/proc/${pid}/cmdline`), read(`/proc/${pid}/environ`), ...readLinks(`/proc/${pid}/fd`)]
  return !isOwnTool(pid) && texts.some((text) => dirs.some((dir) => text.includes(`${dir}/`) || text.endsWith(dir)))
}

/** The test runner and its workers know the directories as well. */
function isOwnTool(pid: number): boolean {
  return pid === process.ppid || read(`/proc/${pid}/cmdline`).includes('vitest')
}

/** runc and busybox are what our supervisors would leave unreaped; node what we start ourselves. */
function isOurZombie(pid: number): boolean {
  if (readProcessStat(pid)?.state !== 'Z') return false
  return /^(tally-|runc|busybox|sh|sleep|nats-server)/.test(read(`/proc/${pid}/comm`))
}

function listCgroups(): readonly string[] {
  const root = '/sys/fs/cgroup'
  const hierarchies = [root, ...readDirectory(root).map((name) => join(root, name))]
  return hierarchies.flatMap((dir) =>
    readDirectory(dir)
      .filter((name) => name.startsWith('tally-'))
      .map((name) => join(dir, name)),
  )
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

function describe(pid: number): string {
  return `${pid} ${read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim() || read(`/proc/${pid}/comm`).trim()}`
}

/** A process may end while it is looked at. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
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

/** What a node has left on the machine, as the kernel lists it. Looks for what is the node's alone, since other tests run at the same time. */
import {existsSync, readdirSync} from 'node:fs'
import {basename, join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {listProcesses, readProcessStat} from '../../src/linux/process-table.ts'
import {describeProcess, isRunning, listCgroups, listMembers, listMountsBelow, readProcFile, usesDirectory} from './proc.ts'
import {killProcess, removeGroup, thawGroup} from './sweep.ts'

export interface Leftovers {
  /** Processes that have something open below the directories, or name them. */
  readonly processes: readonly string[]
  /** Below such a process, or below this one. */
  readonly zombies: readonly string[]
  readonly mounts: readonly string[]
  readonly cgroups: readonly string[]
  readonly fifosAndSockets: readonly string[]
}

/** What belongs to a node. */
export interface NodeTraces {
  readonly dirs: readonly string[]
  /** Whether a group of this name, which begins with `tally-`, is of one of its containers. */
  readonly isOwnGroup: (name: string) => boolean
}

export const nothing: Leftovers = {processes: [], zombies: [], mounts: [], cgroups: [], fifosAndSockets: []}

/** A process that is ending needs a moment; on a busy machine, a long one. */
const patienceMs = 30_000

/** Looks until nothing is left, for 30 s at most. */
export async function findLeftovers(traces: NodeTraces): Promise<Leftovers> {
  for (const giveUpAt = Date.now() + patienceMs; ; await sleep(50)) {
    const found = look(traces)
    if (Date.now() > giveUpAt || Object.values(found).every((list) => list.length === 0)) return found
  }
}

/** Ends what a failed test left running, so that the next one starts without it. */
export async function sweep({processes, cgroups}: Leftovers): Promise<void> {
  for (const line of processes) killProcess(Number.parseInt(line, 10))
  for (const giveUpAt = Date.now() + patienceMs; Date.now() < giveUpAt; await sleep(50)) {
    for (const cgroup of cgroups) {
      thawGroup(cgroup)
      for (const pid of listMembers(cgroup)) killProcess(pid)
      removeGroup(cgroup)
    }
    if (!cgroups.some((cgroup) => existsSync(cgroup))) return
  }
}

function look({dirs, isOwnGroup}: NodeTraces): Leftovers {
  const pids = listProcesses().filter((pid) => pid !== process.pid)
  const own = new Set(pids.filter((pid) => isOfNode(pid, dirs)))
  return {
    processes: [...own].map(describeProcess),
    zombies: pids.filter((pid) => isUnreaped(pid, dirs)).map(describeProcess),
    mounts: dirs.flatMap(listMountsBelow),
    // One whose container is not known any more, since the disk with its journal is gone, is known by its processes.
    cgroups: listCgroups('tally-').filter((path) => isOwnGroup(basename(path)) || listMembers(path).some((pid) => own.has(pid))),
    fifosAndSockets: dirs.flatMap(listSpecialFiles),
  }
}

/** The test runner and its workers name the directories as well. */
function isOfNode(pid: number, dirs: readonly string[]): boolean {
  return isRunning(pid) && pid !== process.ppid && usesDirectory(pid, dirs) && !readProcFile(`/proc/${pid}/cmdline`).includes('vitest')
}

/** A zombie whose parent, or a parent of that, is a process of the node or this one. */
function isUnreaped(pid: number, dirs: readonly string[]): boolean {
  if (readProcessStat(pid)?.state !== 'Z') return false
  for (let parent = readProcessStat(pid)?.parentPid ?? 0; parent > 1; parent = readProcessStat(parent)?.parentPid ?? 0)
    if (parent === process.pid || isOfNode(parent, dirs)) return true
  return false
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

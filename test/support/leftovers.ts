/** What a node has left on the machine, as the kernel lists it. Looks for what is the node's alone, since other tests run at the same time. */
import {readdirSync} from 'node:fs'
import {basename, join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {listProcesses, readProcessStat} from '../../src/linux/process-table.ts'
import {describeProcess, isRunning, listCgroups, listMembers, listMountsBelow, readProcFile, usesDirectory} from './proc.ts'
import {killProcess, removeGroup} from './sweep.ts'

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
  const killed = [...processes.map((line) => Number.parseInt(line, 10)), ...cgroups.flatMap(listMembers)]
  if (killed.length === 0 && cgroups.length === 0) return
  for (const pid of killed) killProcess(pid)
  await sleep(200)
  for (const cgroup of cgroups) removeGroup(cgroup)
}

function look({dirs, isOwnGroup}: NodeTraces): Leftovers {
  const pids = listProcesses().filter((pid) => pid !== process.pid)
  return {
    processes: pids.filter((pid) => isOfNode(pid, dirs)).map(describeProcess),
    zombies: pids.filter((pid) => isUnreaped(pid, dirs)).map(describeProcess),
    mounts: dirs.flatMap(listMountsBelow),
    cgroups: listCgroups('tally-').filter((path) => isOwnGroup(basename(path))),
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

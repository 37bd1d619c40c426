/**
 * All the processes of a health check. Where the runtime can start it in a group of its own within the container's, those are all that
 * there are in it. Otherwise they are found by what they have in common: they descend from the check's first, are of its session, or
 * have its output open; one that has given up all three is not found.
 */
import type {Clock} from '../../kernel/clock.ts'
import {readCgroupProcesses} from '../../linux/cgroup.ts'
import {hasOpenBelow, readProcessStat} from '../../linux/process-table.ts'
import {makeSubGroup, type SubGroup} from '../../linux/sub-group.ts'

export interface CheckProcesses {
  /** As `runc exec --cgroup` takes it; undefined where there can be no group. */
  readonly group: string | undefined
  /**
   * Ends all of them: until none is left, or for a moment. Idempotent.
   * @param first the pid of the check's first process, which is left a zombie; absent when it is not known
   * @param isGrouped whether it was started in the group
   */
  end(isGrouped: boolean, first?: number): Promise<void>
}

export interface CheckProcessesOptions {
  /** Directories of the container's groups. */
  readonly cgroups: readonly string[]
  /** Where its FIFOs are. */
  readonly dir: string
  readonly clock: Pick<Clock, 'sleep'>
}

const groupName = 'tally-check'
const pollMs = 10
const patienceMs = 2_000
/** Time for it to reap its children: those that it has not reaped are left to an init that may never reap them. */
const reapMs = 200

export function findCheckProcesses({cgroups, dir, clock}: CheckProcessesOptions): CheckProcesses {
  const group: SubGroup | undefined = makeSubGroup(cgroups, groupName)

  return {
    group: group?.forRuntime,
    end: async (isGrouped, first) => {
      const list = () => (isGrouped && group ? group.list() : listAlike(first))
      const isFirstLeft = () => first !== undefined && list().includes(first)
      if (isFirstLeft()) {
        for (const pid of list()) if (pid !== first) kill(pid)
        for (let waitedMs = 0; waitedMs < reapMs && isFirstLeft(); waitedMs += pollMs) await clock.sleep(pollMs)
      }
      for (let waitedMs = 0; waitedMs < patienceMs && list().length > 0; waitedMs += pollMs) {
        group?.kill()
        for (const pid of list()) kill(pid)
        await clock.sleep(pollMs)
      }
      group?.remove()
    },
  }

  function listAlike(first: number | undefined): readonly number[] {
    const all = new Set([...cgroups.flatMap(readCgroupProcesses), ...(group?.list() ?? [])])
    const own = new Set(group?.list())
    return [...all].filter((pid) => own.has(pid) || (first !== undefined && isKin(pid, first)) || hasOpenBelow(pid, dir))
  }
}

/** As far as its parents are still there. */
function isKin(pid: number, first: number): boolean {
  for (let stat = readProcessStat(pid), at = pid; stat; at = stat.parentPid, stat = readProcessStat(at)) {
    if (at === first || stat.session === first) return true
    if (stat.parentPid <= 1) return false
  }
  return false
}

/** It may have ended since it was listed. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {}
}

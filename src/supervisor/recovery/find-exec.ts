import {readFileSync} from 'node:fs'
import type {ProcessIdentity} from '../../../machines/ledger/events.ts'
import {readCgroupProcesses} from '../../linux/cgroup.ts'
import {readProcessIdentity, readProcessStat} from '../../linux/process-table.ts'
import type {ExecLayout} from '../../layout/container-layout.ts'

/**
 * By the pid file that the runtime has left. A pid that is not in the container's groups has been reused, unless the process has ended and
 * is a zombie of the shim.
 */
export function findExecProcess({pidFile}: ExecLayout, cgroups: readonly string[]): ProcessIdentity | undefined {
  const pid = readPid(pidFile)
  if (pid === undefined) return undefined
  const stat = readProcessStat(pid)
  const isOurs = cgroups.some((group) => readCgroupProcesses(group).includes(pid)) || (stat?.isZombie && stat.parentPid === process.ppid)
  return isOurs ? readProcessIdentity(pid) : undefined
}

function readPid(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8'))
  } catch {
    // The runtime has not written it yet.
    return undefined
  }
}

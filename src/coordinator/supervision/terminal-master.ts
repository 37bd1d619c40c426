/** The master of a terminal, copied out of the supervisor that has it. */
import {closeSync, readFileSync} from 'node:fs'
import {listDescriptors} from '../../linux/descriptors.ts'
import {copyDescriptor, openPidfd} from '../../linux/pidfd.ts'
import {listProcesses, readProcessStat} from '../../linux/process-table.ts'

/**
 * @param journal of the container; its supervisor has it open
 * @param pid of the process whose controlling terminal it is
 * @returns a descriptor of this process; undefined when there is no supervisor, or the kernel cannot copy one (before Linux 5.6)
 */
export function copyTerminalMaster(journal: string, pid: number): number | undefined {
  const supervisor = findSupervisor(journal)
  return supervisor === undefined ? undefined : copyMaster(supervisor, pid)
}

function findSupervisor(journal: string): number | undefined {
  return listProcesses().find((pid) => isSupervisor(pid) && listDescriptors(pid).some(({target}) => target === journal))
}

function isSupervisor(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith('tally-supervisor')
  } catch {
    return false
  }
}

/** A supervisor has a master for each terminal of its container; their numbers tell them apart. */
function copyMaster(supervisor: number, pid: number): number | undefined {
  const masters = listDescriptors(supervisor).filter(({target}) => target.endsWith('/ptmx'))
  const wanted = readProcessStat(pid)?.terminal
  const master = masters.length === 1 ? masters[0] : masters.find(({fd}) => readTerminalNumber(supervisor, fd) === wanted)
  const pidfd = master && openPidfd(supervisor)
  if (!master || pidfd === undefined) return undefined
  try {
    return copyDescriptor(pidfd, master.fd)
  } catch {
    // The supervisor has closed it, or the kernel cannot.
    return undefined
  } finally {
    closeSync(pidfd)
  }
}

/** Which terminal of its file system a master belongs to (proc_pid_fdinfo(5)). */
function readTerminalNumber(pid: number, fd: number): number | undefined {
  try {
    const number = /^tty-index:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1]
    return number === undefined ? undefined : Number(number)
  } catch {
    return undefined
  }
}

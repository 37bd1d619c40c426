/** Processes, as /proc has them (proc(5)). */
import {readdirSync, readFileSync, readlinkSync} from 'node:fs'
import {join} from 'node:path'

/** Identifies a process also when its pid is used again. */
export interface ProcessIdentity {
  readonly pid: number
  /** Field 22 of /proc/<pid>/stat: clock ticks between boot and the process's start. */
  readonly startTimeTicks: number
  readonly bootId: string
}

export interface ProcessStat {
  /** `R`, `S`, `Z` (zombie) and so on. */
  readonly state: string
  readonly parentPid: number
  /** The pid of its session leader. */
  readonly session: number
  readonly startTimeTicks: number
  /** The number of its controlling terminal in its devpts; undefined when it has none, or another kind of terminal. */
  readonly terminal: number | undefined
  /** All of its threads have ended, and its parent has not reaped it. Not true when only its first thread has ended. */
  readonly isZombie: boolean
  /** The status of a zombie, as wait(2) encodes it; 0 for a reader that may not trace the process (proc_pid_stat(5), field 52). */
  readonly exitStatus: number
}

/** Undefined when there is no such process. A zombie exists. */
export function readProcessStat(pid: number): ProcessStat | undefined {
  const text = readIfThere(`/proc/${pid}/stat`)
  if (text === undefined) return undefined
  // The command name, field 2, is in parentheses and may contain anything, parentheses and spaces too.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const state = fields[0] ?? ''
  return {
    state,
    parentPid: Number(fields[1]),
    session: Number(fields[3]),
    startTimeTicks: Number(fields[19]),
    terminal: toTerminalNumber(Number(fields[4])),
    isZombie: state === 'Z' && Number(fields[17]) <= 1,
    exitStatus: Number(fields[49]),
  }
}

/** A device number of Linux: 12 bits of major number, 20 of minor. UNIX98 terminals have the majors from 136 on, 256 each. */
function toTerminalNumber(device: number): number | undefined {
  const [major, minor] = [(device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xfff00)]
  return major >= 136 && major <= 143 ? (major - 136) * 256 + minor : undefined
}

/** Undefined when there is no such process. */
export function readProcessIdentity(pid: number): ProcessIdentity | undefined {
  const stat = readProcessStat(pid)
  return stat && {pid, startTimeTicks: stat.startTimeTicks, bootId: readBootId()}
}

/** Whether that very process exists, also as a zombie. */
export function isSameProcess({pid, startTimeTicks, bootId}: ProcessIdentity): boolean {
  return bootId === readBootId() && readProcessStat(pid)?.startTimeTicks === startTimeTicks
}

/** Whether that very process exists and has not ended: a zombie has. */
export function isAlive(identity: ProcessIdentity): boolean {
  return isSameProcess(identity) && readProcessStat(identity.pid)?.isZombie === false
}

let bootId: string | undefined

/** Changes with every boot of the host (random(4)). */
export function readBootId(): string {
  bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  return bootId
}

/**
 * The children of all threads of this process, zombies included. From /proc/self/task/<tid>/children, which is complete as long as none is
 * reaped while it is read; without CONFIG_PROC_CHILDREN, by looking at every process of the machine.
 */
export function listChildren(): readonly number[] {
  const threads = readdirSync('/proc/self/task')
  const lists = threads.map((thread) => readIfThere(`/proc/self/task/${thread}/children`))
  if (lists.some((list) => list !== undefined)) return lists.flatMap((list) => (list ?? '').split(' ').filter(Boolean).map(Number))
  return listProcesses().filter((pid) => readProcessStat(pid)?.parentPid === process.pid)
}

export function listProcesses(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

/** Whether a process has a file below a directory open; false when it has ended. */
export function hasOpenBelow(pid: number, directory: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(join(`/proc/${pid}/fd`, fd)).startsWith(`${directory}/`))
  } catch {
    return false
  }
}

/** A process may end before its file is opened (ENOENT) or read (ESRCH); any other failure does not mean that it has ended. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return undefined
    throw error
  }
}

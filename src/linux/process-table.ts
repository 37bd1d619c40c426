/** What /proc tells of processes (proc(5)). */
import {readdirSync, readFileSync, readlinkSync} from 'node:fs'
import {join} from 'node:path'

/** A process, so identified that a reused pid is not taken for it. */
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
  readonly startTimeTicks: number
}

/** Undefined when there is no such process, zombies included as existing. */
export function readProcessStat(pid: number): ProcessStat | undefined {
  const text = readIfThere(`/proc/${pid}/stat`)
  if (text === undefined) return undefined
  // The command name, field 2, is in parentheses and may contain anything, parentheses and spaces too.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return {state: fields[0] ?? '', parentPid: Number(fields[1]), startTimeTicks: Number(fields[19])}
}

/** Undefined when there is no such process. */
export function readProcessIdentity(pid: number): ProcessIdentity | undefined {
  const stat = readProcessStat(pid)
  return stat && {pid, startTimeTicks: stat.startTimeTicks, bootId: readBootId()}
}

/** Whether the very process is still there, be it as a zombie. */
export function isSameProcess({pid, startTimeTicks, bootId}: ProcessIdentity): boolean {
  return bootId === readBootId() && readProcessStat(pid)?.startTimeTicks === startTimeTicks
}

/** Whether the very process is there and has not ended: a zombie is dead. */
export function isAlive(identity: ProcessIdentity): boolean {
  return isSameProcess(identity) && readProcessStat(identity.pid)?.state !== 'Z'
}

let bootId: string | undefined

/** Changes with every boot of the host (random(4)). */
export function readBootId(): string {
  bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  return bootId
}

/**
 * The children of this process, zombies included, whichever of its threads they hang on. From
 * /proc/self/task/<tid>/children, which is whole as long as nobody reaps while it is read; without CONFIG_PROC_CHILDREN, by
 * looking at every process of the machine.
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

/** Whether a process has a file below a directory open; not, when it has ended. */
export function hasOpenBelow(pid: number, directory: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(join(`/proc/${pid}/fd`, fd)).startsWith(`${directory}/`))
  } catch {
    return false
  }
}

/** A process may end between being named (ENOENT) or opened (ESRCH) and being read; any other failure says nothing about it. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return undefined
    throw error
  }
}

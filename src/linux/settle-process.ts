/**
 * Puts what a process has inherited, and every process that it starts inherits, into a known state (docs/environment.md). Node.js resets
 * signals itself: none is ignored or blocked when its program begins, or in the processes that it starts.
 */
import {closeSync, readFileSync, writeFileSync} from 'node:fs'
import {arch, getPriority, setPriority} from 'node:os'
import {listDescriptors} from './descriptors.ts'
import {check, libc} from './libc.ts'
import {settleLimits} from './resource-limits.ts'

/** @returns what could not be changed, one sentence each */
export function settleProcess(): readonly string[] {
  closeInherited()
  process.umask(0o022)
  process.chdir('/')
  const left = [settleOomScore, settleNice, settleScheduling].flatMap((settle) => settle() ?? [])
  settleLimits()
  return left
}

const O_CLOEXEC = 0o2_000_000

/** What Node.js opens has close-on-exec; a descriptor without it was inherited, and somebody may wait until it is closed. */
function closeInherited(): void {
  for (const {fd} of listDescriptors('self')) if (fd > 2 && isInherited(fd)) closeSync(fd)
}

function isInherited(fd: number): boolean {
  try {
    const [, flags = '0'] = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')) ?? []
    return (Number.parseInt(flags, 8) & O_CLOEXEC) === 0
  } catch {
    // It was the descriptor of the listing.
    return false
  }
}

/** A score below 0 is a protection that somebody has chosen, and stays. */
function settleOomScore(): string | undefined {
  const score = readOomScore()
  if (score <= 0) return undefined
  try {
    writeFileSync('/proc/self/oom_score_adj', '0')
    return undefined
  } catch {
    return `it was started with an oom_score_adj of ${score}, which containers inherit: lowering it takes CAP_SYS_RESOURCE`
  }
}

/** Of this process. */
export function readOomScore(): number {
  return Number(readFileSync('/proc/self/oom_score_adj', 'utf8'))
}

function settleNice(): string | undefined {
  const nice = getPriority()
  if (nice === 0) return undefined
  try {
    setPriority(0)
    return undefined
  } catch {
    return `it was started with a nice value of ${nice}, which containers inherit: lowering it takes CAP_SYS_NICE`
  }
}

/** sched(7), ioprio_set(2), personality(2) */
const [SCHED_OTHER, IOPRIO_WHO_PROCESS, PER_LINUX] = [0, 1, 0]
const ioprioSet: Readonly<Record<string, number>> = {x64: 251, arm64: 30}
/** More than any machine has: the kernel takes those that exist. */
const allProcessors = new Uint8Array(1024).fill(0xff)

/** The scheduling of this thread, by which all processes are started. */
function settleScheduling(): string | undefined {
  const number = ioprioSet[arch()]
  try {
    check('sched_setscheduler', libc.sched_setscheduler(0, SCHED_OTHER, new Int32Array([0])))
    check('sched_setaffinity', libc.sched_setaffinity(0, allProcessors.length, allProcessors))
    if (number !== undefined) check('ioprio_set', libc.syscall(number, IOPRIO_WHO_PROCESS, 0, 0, 0))
    check('personality', libc.personality(PER_LINUX))
    return undefined
  } catch (error) {
    return `its scheduling is as it was inherited: ${error instanceof Error ? error.message : String(error)}`
  }
}

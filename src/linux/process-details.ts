/** What `top` shows of a process, from /proc (proc(5)). */
import {readFileSync} from 'node:fs'

export interface ProcessDetails {
  readonly pid: number
  readonly parentPid: number
  /** Its pid in the innermost pid namespace that it is in. */
  readonly pidInContainer: number | undefined
  readonly state: string
  /** The effective user id, on the host. */
  readonly uid: number
  /** User and kernel time. */
  readonly cpuMs: number
  readonly startedAtMs: number
  readonly args: readonly string[]
}

/** USER_HZ is 100 on every architecture that Node.js runs on. */
const msPerTick = 10

export interface ProcessTexts {
  readonly stat: string
  readonly status: string
  readonly cmdline: string
}

/** Undefined when there is no such process. */
export function readProcessDetails(pid: number): ProcessDetails | undefined {
  try {
    const read = (name: string) => readFileSync(`/proc/${pid}/${name}`, 'utf8')
    return toProcessDetails({stat: read('stat'), status: read('status'), cmdline: read('cmdline')}, readBootTimeMs())
  } catch {
    return undefined
  }
}

export function toProcessDetails({stat, status, cmdline}: ProcessTexts, bootTimeMs: number): ProcessDetails {
  // The name, field 2, is in parentheses and may contain anything, parentheses and spaces too.
  const end = stat.lastIndexOf(')')
  const name = stat.slice(stat.indexOf('(') + 1, end)
  const fields = stat.slice(end + 2).split(' ')
  const field = (number: number) => Number(fields[number - 3])
  const [, uid = '0'] = /^Uid:\s+\d+\s+(\d+)/m.exec(status) ?? []
  const [, innermost] = /^NSpid:.*?(\d+)\s*$/m.exec(status) ?? []
  return {
    pid: Number.parseInt(stat, 10),
    parentPid: field(4),
    pidInContainer: innermost === undefined ? undefined : Number(innermost),
    state: fields[0] ?? '?',
    uid: Number(uid),
    cpuMs: (field(14) + field(15)) * msPerTick,
    startedAtMs: bootTimeMs + field(22) * msPerTick,
    args: cmdline === '' ? [`[${name}]`] : cmdline.replace(/\0$/, '').split('\0'),
  }
}

/** `btime` of /proc/stat: seconds since the epoch. */
function readBootTimeMs(): number {
  const [, seconds = '0'] = /^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8')) ?? []
  return Number(seconds) * 1_000
}

/** Names of the host's users; of several names for a number, the first (passwd(5)). */
export function readUserNames(): ReadonlyMap<number, string> {
  try {
    return parseUserNames(readFileSync('/etc/passwd', 'utf8'))
  } catch {
    return new Map()
  }
}

export function parseUserNames(passwd: string): ReadonlyMap<number, string> {
  const lines = [...passwd.matchAll(/^([^:\n]+):[^:\n]*:(\d+):/gm)]
  return new Map(lines.toReversed().map(([, name = '', uid]) => [Number(uid), name]))
}

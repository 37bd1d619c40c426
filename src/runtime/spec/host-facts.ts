import {existsSync, globSync, readFileSync} from 'node:fs'
import {arch, release} from 'node:os'
import {join} from 'node:path'
import {parseMounts} from '../../linux/cgroup.ts'
import {readOpenFiles} from '../../linux/resource-limits.ts'
import {readOomScore} from '../../linux/settle-process.ts'
import {capabilityNames} from './capabilities.ts'

/** What the host supports and allows. A generated spec must not ask for more. */
export interface HostFacts {
  /** The bounding set of this process, which cannot give a container more. */
  readonly capabilities: ReadonlySet<string>
  /** Linux ≥ 4.6 */
  readonly cgroupNamespace: boolean
  /** The oom_score_adj of containers: 0, or that of this process where it is higher and cannot be lowered. */
  readonly oomScore?: number
  /** The default limit of open files of a container. */
  readonly openFiles?: {readonly soft: number; readonly hard: number}
  /** Node's name of the machine: `x64`, `arm64`. */
  readonly architecture: string
  /** Whether it accounts for swap, so that a memory limit can forbid swap. */
  readonly limitsSwap?: boolean
  /** The release of uname(2). */
  readonly kernel: string
  /** Whether the kernel has seccomp; undefined: it has. */
  readonly filtersCalls?: boolean
  /** Whether AppArmor is enabled. */
  readonly apparmor?: boolean
  readonly selinux?: boolean
  /** Cgroup controllers for limits that the host lacks. */
  readonly missingControllers?: readonly string[]
  /** Files with counters of each CPU, which reveal the load of other containers. docker masks them as well. */
  readonly throttlePaths?: readonly string[]
}

export function readHostFacts(): HostFacts {
  return {
    capabilities: readBoundingCapabilities(),
    cgroupNamespace: existsSync('/proc/self/ns/cgroup'),
    oomScore: Math.max(0, readOomScore()),
    openFiles: readOpenFiles(),
    architecture: arch(),
    limitsSwap: accountsForSwap(),
    kernel: release(),
    filtersCalls: existsSync('/proc/sys/kernel/seccomp/actions_avail'),
    apparmor: readIfThere('/sys/module/apparmor/parameters/enabled').startsWith('Y'),
    selinux: existsSync('/sys/fs/selinux/enforce'),
    missingControllers: findMissingControllers(),
    throttlePaths: globSync('/sys/devices/system/cpu/cpu[0-9]*/thermal_throttle'),
  }
}

/** Cgroup v1 can be booted without it (`swapaccount=0`, long the default of Debian). On v2 runc ignores that memory.swap.max is missing. */
function accountsForSwap(): boolean {
  const mounts = parseMounts(readFileSync('/proc/self/mountinfo', 'utf8'))
  const v1 = mounts.find(({type, options}) => type === 'cgroup' && options.includes('memory'))
  return !v1 || existsSync(join(v1.directory, 'memory.memsw.limit_in_bytes'))
}

/** `CapBnd` of proc(5): a mask, the lowest bit being capability 0. */
function readBoundingCapabilities(): ReadonlySet<string> {
  const [, mask = '0'] = /^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  const bits = BigInt(`0x${mask}`)
  return new Set(capabilityNames.filter((_, index) => (bits >> BigInt(index)) & 1n))
}

/** In v2 the root cgroup lists its controllers; in v1 each one is mounted. */
function findMissingControllers(): readonly string[] {
  const mounts = parseMounts(readFileSync('/proc/self/mountinfo', 'utf8'))
  const v2 = mounts
    .filter(({type}) => type === 'cgroup2')
    .flatMap(({directory}) => readIfThere(join(directory, 'cgroup.controllers')).trim().split(/\s+/))
  const has = (name: string) => v2.includes(name) || mounts.some(({type, options}) => type === 'cgroup' && options.includes(name))
  return ['memory', 'cpu', 'pids'].filter((name) => !has(name))
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

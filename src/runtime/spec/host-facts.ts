import {existsSync, readFileSync} from 'node:fs'
import {arch} from 'node:os'
import {join} from 'node:path'
import {parseMounts} from '../../linux/cgroup.ts'
import {capabilityNames} from './capabilities.ts'
import {parseSeccompProfile, type SeccompProfile} from './seccomp.ts'

/** What the host allows and has: a generated spec must not ask for more. */
export interface HostFacts {
  /** Of this process: what it has not got it cannot give. */
  readonly capabilities: ReadonlySet<string>
  /** Linux ≥ 4.6 */
  readonly cgroupNamespace: boolean
  /** Node's name of the machine: `x64`, `arm64`. */
  readonly architecture: string
  /** Whether it accounts for swap, so that a limit of memory can allow none. */
  readonly limitsSwap?: boolean
  /** The default profile, where a distribution has put one. */
  readonly seccomp: SeccompProfile | undefined
}

/** Where containers-common, and administrators, put the default profile. The administrator's comes first. */
const seccompProfilePaths = ['/etc/containers/seccomp.json', '/usr/share/containers/seccomp.json'] as const

export function readHostFacts(): HostFacts {
  const path = seccompProfilePaths.find((candidate) => existsSync(candidate))
  return {
    capabilities: readBoundingCapabilities(),
    cgroupNamespace: existsSync('/proc/self/ns/cgroup'),
    architecture: arch(),
    limitsSwap: accountsForSwap(),
    seccomp: path === undefined ? undefined : parseSeccompProfile(JSON.parse(readFileSync(path, 'utf8'))),
  }
}

/** Version 1 may be told not to (`swapaccount=0`, on Debian the default for long). Where version 2 is, runc needs no file for none. */
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

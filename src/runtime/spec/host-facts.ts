import {existsSync, readFileSync} from 'node:fs'
import {arch} from 'node:os'
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
    seccomp: path === undefined ? undefined : parseSeccompProfile(JSON.parse(readFileSync(path, 'utf8'))),
  }
}

/** `CapBnd` of proc(5): a mask, the lowest bit being capability 0. */
function readBoundingCapabilities(): ReadonlySet<string> {
  const [, mask = '0'] = /^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  const bits = BigInt(`0x${mask}`)
  return new Set(capabilityNames.filter((_, index) => (bits >> BigInt(index)) & 1n))
}

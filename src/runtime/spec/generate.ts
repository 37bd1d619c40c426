import type {Mount, RootfsRequest} from '../../../machines/create-request.ts'
import {toLimits} from '../../../machines/limits.ts'
import {chooseCapabilities} from './choose-capabilities.ts'
import {defaultMounts, defaultPath, maskedPaths, readonlyPaths} from './defaults.ts'
import type {HostFacts} from './host-facts.ts'
import {toOciLimits} from './limits.ts'
import type {OciMount, OciResources, OciSpec} from './oci-spec.ts'
import {toOciSeccomp} from './seccomp.ts'
import type {ResolvedUser} from './user.ts'

export interface SpecInputs {
  readonly request: RootfsRequest
  readonly containerId: string
  readonly cgroupsPath: string
  readonly user: ResolvedUser
  readonly host: HostFacts
}

/** The OCI spec of a container from a root file system: docker's defaults, less what the host has not got. Pure. */
export function generateSpec({request, containerId, cgroupsPath, user, host}: SpecInputs): OciSpec {
  const hostname = request.hostname ?? containerId
  const capabilities = chooseCapabilities(request, host)
  const seccomp = host.seccomp && toOciSeccomp(host.seccomp, host.architecture, capabilities)
  const {uid, gid, additionalGids} = user
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: request.terminal === true,
      ...(request.terminal && request.consoleSize && {consoleSize: {width: request.consoleSize.columns, height: request.consoleSize.rows}}),
      user: {uid, gid, ...(additionalGids.length > 0 && {additionalGids})},
      args: request.args,
      env: withDefaults(request.env, {PATH: defaultPath, HOSTNAME: hostname, HOME: user.home, ...(request.terminal && {TERM: 'xterm'})}),
      cwd: request.cwd,
      // A user other than root gets them only through setuid files, and those only without noNewPrivileges: the bounding set.
      capabilities: {
        bounding: capabilities,
        effective: uid === 0 ? capabilities : [],
        permitted: uid === 0 ? capabilities : [],
      },
      noNewPrivileges: true,
    },
    root: {path: request.rootfs, ...(request.readOnly && {readonly: true})},
    hostname,
    mounts: [...defaultMounts, ...(request.mounts ?? []).map(toOciMount)],
    linux: {
      namespaces: [
        'pid',
        'ipc',
        'uts',
        'mount',
        ...(request.network === 'host' ? [] : ['network']),
        ...(host.cgroupNamespace ? ['cgroup'] : []),
      ].map((type) => ({type})),
      cgroupsPath,
      maskedPaths,
      readonlyPaths,
      resources: toResources(request, host),
      ...(seccomp && {seccomp}),
    },
  }
}

function toResources(request: RootfsRequest, {limitsSwap = false}: HostFacts): OciResources {
  return {
    // runc adds null, zero, full, random, urandom, tty and the pts of the container.
    devices: [{allow: false, access: 'rwm'}],
    ...toOciLimits(toLimits(request), {present: {}, limitsSwap}),
  }
}

function toOciMount(mount: Mount): OciMount {
  const destination = mount.target
  if (mount.type === 'tmpfs') return {destination, type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'noexec']}
  return {destination, type: 'bind', source: mount.source, options: ['rbind', 'rprivate', mount.readOnly ? 'ro' : 'rw']}
}

/** The user's variables, in their order, after the defaults that they do not set. */
function withDefaults(env: readonly string[], defaults: Readonly<Record<string, string>>): readonly string[] {
  const missing = Object.entries(defaults).filter(([name]) => !env.some((entry) => entry.startsWith(`${name}=`)))
  return [...missing.map(([name, value]) => `${name}=${value}`), ...env]
}

import type {RootfsRequest, Ulimit} from '../../../machines/schemas/create-request.ts'
import {toLimits} from '../../../machines/schemas/limits.ts'
import {chooseCapabilities} from './choose-capabilities.ts'
import {defaultPath, maskedPaths, readonlyPaths} from './defaults.ts'
import type {SpecFindings} from './findings.ts'
import type {HostFacts} from './host-facts.ts'
import {toOciLimits} from './limits.ts'
import {toOciMounts} from './mounts.ts'
import type {OciLinux, OciResources, OciRlimit, OciSpec} from './oci-spec.ts'
import {toOciSeccomp} from './seccomp.ts'
import type {ResolvedUser} from './user.ts'

export interface SpecInputs {
  readonly request: RootfsRequest
  /** Its path on the node. */
  readonly rootfs: string
  readonly containerId: string
  readonly cgroupsPath: string
  readonly user: ResolvedUser
  readonly host: HostFacts
  readonly findings?: SpecFindings
}

const nothingFound: SpecFindings = {namespacePaths: {}, devices: [], seccomp: {name: 'unconfined'}}

/** The OCI spec of a container from a root file system: docker's defaults, without what the host lacks. Pure. */
export function generateSpec({request, rootfs, containerId, cgroupsPath, user, host, findings = nothingFound}: SpecInputs): OciSpec {
  const hostname = request.hostname ?? containerId
  const capabilities = chooseCapabilities(request.privileged ? {...request, capAdd: ['ALL']} : request, host)
  const {profile} = findings.seccomp
  const {uid, gid, additionalGids} = user
  const rlimits = [...toOpenFiles(request, host), ...(request.ulimits ?? [])].map(toRlimit)
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: request.terminal === true,
      ...(request.terminal && request.consoleSize && {consoleSize: {width: request.consoleSize.columns, height: request.consoleSize.rows}}),
      user: {uid, gid, ...(additionalGids.length > 0 && {additionalGids})},
      args: request.args,
      env: withDefaults(request.env, {PATH: defaultPath, HOSTNAME: hostname, HOME: user.home, ...(request.terminal && {TERM: 'xterm'})}),
      cwd: request.cwd,
      // A user other than root gets capabilities of the bounding set through setuid files only, and only without noNewPrivileges.
      capabilities: {
        bounding: capabilities,
        effective: uid === 0 ? capabilities : [],
        permitted: uid === 0 ? capabilities : [],
      },
      noNewPrivileges: request.noNewPrivileges ?? !request.privileged,
      ...(request.apparmor !== undefined && request.apparmor !== 'unconfined' && {apparmorProfile: request.apparmor}),
      oomScoreAdj: host.oomScore ?? 0,
      ...(rlimits.length > 0 && {rlimits}),
    },
    root: {path: rootfs, ...(request.readOnly && {readonly: true})},
    ...(request.uts !== 'host' && {hostname}),
    ...(request.annotations && {annotations: request.annotations}),
    mounts: toOciMounts(request, findings),
    linux: {
      namespaces: toNamespaces(request, host, findings),
      cgroupsPath,
      maskedPaths: request.privileged ? [] : [...maskedPaths, ...(host.throttlePaths ?? [])],
      readonlyPaths: request.privileged ? [] : readonlyPaths,
      ...(findings.devices.length > 0 && {devices: findings.devices}),
      resources: toResources(request, host, findings),
      ...(profile && {seccomp: toOciSeccomp(profile, host, capabilities)}),
    },
  }
}

/** A new namespace of each kind, except for those that are shared with the host or with another container. */
function toNamespaces(
  {pid, ipc, uts, network}: RootfsRequest,
  host: HostFacts,
  {namespacePaths: paths}: SpecFindings,
): OciLinux['namespaces'] {
  const own = (type: 'pid' | 'ipc' | 'network', choice: string | undefined) =>
    choice === 'host' ? [] : [{type, ...(paths[type] !== undefined && {path: paths[type]})}]
  return [
    ...own('pid', pid),
    ...own('ipc', ipc),
    ...(uts === 'host' ? [] : [{type: 'uts'}]),
    {type: 'mount'},
    ...own('network', network),
    ...(host.cgroupNamespace ? [{type: 'cgroup'}] : []),
  ]
}

/** Stands for RLIM_INFINITY, which a JavaScript number cannot represent. No other text of a spec contains a NUL. */
export const unlimitedMark = '\0unlimited'
const rlimInfinity = '18446744073709551615'

/** The text of config.json. */
export function formatSpec(spec: OciSpec): string {
  return JSON.stringify(spec, undefined, 2).replaceAll(JSON.stringify(unlimitedMark), rlimInfinity)
}

/** A default, so that the limit does not depend on the caller that started the node. */
function toOpenFiles({ulimits = []}: RootfsRequest, {openFiles}: HostFacts): readonly Ulimit[] {
  return openFiles && !ulimits.some(({name}) => name === 'nofile') ? [{name: 'nofile', ...openFiles}] : []
}

function toRlimit({name, soft, hard}: Ulimit): OciRlimit {
  const value = (limit: number) => (limit < 0 ? unlimitedMark : limit)
  return {type: `RLIMIT_${name.toUpperCase()}`, soft: value(soft), hard: value(hard)}
}

function toResources(request: RootfsRequest, {limitsSwap = false}: HostFacts, {devices}: SpecFindings): OciResources {
  const asked = devices.slice(devices.length - (request.devices?.length ?? 0))
  const allowed = asked.map(({type, major, minor}, index) => ({
    allow: true,
    type,
    major,
    minor,
    access: request.devices?.[index]?.access ?? 'rwm',
  }))
  return {
    // runc adds null, zero, full, random, urandom, tty and pts.
    devices: request.privileged ? [{allow: true, access: 'rwm'}] : [{allow: false, access: 'rwm'}, ...allowed],
    ...toOciLimits(toLimits(request), {present: {}, limitsSwap}),
  }
}

/** Defaults that the user does not set, followed by the variables of the user in their order. */
function withDefaults(env: readonly string[], defaults: Readonly<Record<string, string>>): readonly string[] {
  const missing = Object.entries(defaults).filter(([name]) => !env.some((entry) => entry.startsWith(`${name}=`)))
  return [...missing.map(([name, value]) => `${name}=${value}`), ...env]
}

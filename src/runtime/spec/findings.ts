/** Looks up on the host what a request names: devices, seccomp profiles, limits, namespaces of other containers. */
import {existsSync, readdirSync, readFileSync, statSync} from 'node:fs'
import {join} from 'node:path'
import type {RootfsRequest, Ulimit} from '../../../machines/schemas/create-request.ts'
import type {UlimitName} from '../../../machines/schemas/ulimits.ts'
import {TallyError} from '../../kernel/errors.ts'
import type {HostFacts} from './host-facts.ts'
import type {RootfsPart} from './mounts.ts'
import type {OciDevice} from './oci-spec.ts'
import {chooseSeccomp, type SeccompChoice} from './choose-seccomp.ts'

export interface SpecFindings {
  /** The file of the namespace to join, by kind. */
  readonly namespacePaths: Readonly<Partial<Record<'pid' | 'ipc' | 'network', string>>>
  readonly devices: readonly OciDevice[]
  readonly seccomp: SeccompChoice
  /** Whether runtime and kernel can make a mount read-only together with what is mounted below it. */
  readonly readsOnlyBelow?: boolean
  /** Mounts of the root file system that have to be read-only as well. */
  readonly parts?: readonly RootfsPart[]
}

export interface FindingOptions {
  readonly host: HostFacts
  /** The pid of the init of another container of the namespace. @throws TallyError CONTAINER_NOT_FOUND, ILLEGAL_COMMAND */
  readonly findInit: (containerId: string) => number
}

/** @throws TallyError INVALID_REQUEST, CONTAINER_NOT_FOUND, ILLEGAL_COMMAND, UNSUPPORTED */
export function findForSpec(request: RootfsRequest, {host, findInit}: FindingOptions): SpecFindings {
  const {devices = [], mounts = [], ulimits = [], apparmor, privileged} = request
  for (const mount of mounts) if (mount.type === 'bind') assertThere(mount.source, 'something to mount')
  for (const ulimit of ulimits) assertAllowed(ulimit, host)
  if (apparmor !== undefined && apparmor !== 'unconfined' && !host.apparmor)
    throw new TallyError('UNSUPPORTED', `this host has no AppArmor, so the profile ${apparmor} cannot be used`)
  const join = (kind: 'pid' | 'ipc' | 'network', file: string) => {
    const [, id] = /^container:(.+)$/.exec(request[kind] ?? '') ?? []
    return id === undefined ? {} : {[kind]: `/proc/${findInit(id)}/ns/${file}`}
  }
  return {
    namespacePaths: {...join('pid', 'pid'), ...join('ipc', 'ipc'), ...join('network', 'net')},
    devices: [...(privileged ? listHostDevices() : []), ...devices.map(({source, target}) => toDevice(source, target))],
    seccomp: chooseSeccomp(request, host),
  }
}

function assertThere(path: string, what: string): void {
  if (!existsSync(path)) throw refused(`expected ${what} at ${path}, got nothing`)
}

/** Device types in the upper bits of a mode (inode(7)). */
const S_IFMT = 0o170000
const types: ReadonlyMap<number, 'c' | 'b'> = new Map([
  [0o020000, 'c'],
  [0o060000, 'b'],
])

function toDevice(source: string, target = source): OciDevice {
  assertThere(source, 'a device')
  const {mode, rdev, uid, gid} = statSync(source)
  const type = types.get(mode & S_IFMT)
  if (!type) throw refused(`expected a device at ${source}, got something else`)
  return {path: target, type, ...toNumbers(rdev), fileMode: mode & 0o777, uid, gid}
}

/** As in the C library (makedev(3)). */
function toNumbers(rdev: number): {readonly major: number; readonly minor: number} {
  const device = BigInt(rdev)
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n)
  const minor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n)
  return {major: Number(major), minor: Number(minor)}
}

/** Directories and devices that every container has itself. */
const ownDirectories: ReadonlySet<string> = new Set(['pts', 'shm', 'fd', 'mqueue', '.lxc', '.lxd-mounts', '.udev'])
const ownDevices: ReadonlySet<string> = new Set(['console', 'ptmx', 'tty', 'null', 'zero', 'full', 'random', 'urandom'])

function listHostDevices(directory = '/dev'): readonly OciDevice[] {
  return readdirSync(directory, {withFileTypes: true}).flatMap((entry) => {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) return ownDirectories.has(entry.name) ? [] : listHostDevices(path)
    const isDevice = entry.isCharacterDevice() || entry.isBlockDevice()
    return isDevice && !(directory === '/dev' && ownDevices.has(entry.name)) ? [toDevice(path)] : []
  })
}

/** Rows of /proc/<pid>/limits (proc(5)). */
const limitRows: Readonly<Record<UlimitName, string>> = {
  as: 'Max address space',
  core: 'Max core file size',
  cpu: 'Max cpu time',
  data: 'Max data size',
  fsize: 'Max file size',
  locks: 'Max file locks',
  memlock: 'Max locked memory',
  msgqueue: 'Max msgqueue size',
  nice: 'Max nice priority',
  nofile: 'Max open files',
  nproc: 'Max processes',
  rss: 'Max resident set',
  rtprio: 'Max realtime priority',
  rttime: 'Max realtime timeout',
  sigpending: 'Max pending signals',
  stack: 'Max stack size',
}

/** A process without CAP_SYS_RESOURCE cannot give a container a higher hard limit than its own. */
function assertAllowed({name, soft, hard}: Ulimit, host: HostFacts): void {
  const value = (limit: number) => (limit < 0 ? Number.POSITIVE_INFINITY : limit)
  if (value(soft) > value(hard)) throw refused(`expected a soft limit of ${name} not above the hard one, got ${soft} and ${hard}`)
  // fs.nr_open limits open files for every process. Other limits can be raised freely with CAP_SYS_RESOURCE.
  const mostOfKernel = name === 'nofile' ? Number(readFileSync('/proc/sys/fs/nr_open', 'utf8')) : Number.POSITIVE_INFINITY
  const most = host.capabilities.has('CAP_SYS_RESOURCE') ? mostOfKernel : Math.min(mostOfKernel, readHardLimit(name))
  if (value(hard) > most)
    throw refused(`expected a limit of ${name} that this host may give, at most ${most}, got ${hard < 0 ? 'none' : hard}`)
}

function readHardLimit(name: UlimitName): number {
  const row = readFileSync('/proc/self/limits', 'utf8')
    .split('\n')
    .find((line) => line.startsWith(limitRows[name]))
  const hard = row?.slice(limitRows[name].length).trim().split(/\s+/)[1] ?? 'unlimited'
  return hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard)
}

function refused(message: string): TallyError {
  return new TallyError('INVALID_REQUEST', message)
}

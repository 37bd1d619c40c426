/** The mounts of a container, in the order in which they are made. Pure. */
import {posix} from 'node:path'
import type {Mount, RootfsRequest} from '../../../machines/schemas/create-request.ts'
import {TallyError} from '../../kernel/errors.ts'
import {defaultMounts} from './defaults.ts'
import type {OciMount} from './oci-spec.ts'

/** A mount below the root file system on the host, which is a part of it. */
export interface RootfsPart {
  readonly source: string
  readonly target: string
}

/**
 * Parents come first, since a parent would hide earlier mounts below it. Otherwise the order is that of the request, after the mounts of
 * every container. A mount of the user replaces one of those at the same path.
 * @param readsOnlyBelow whether runtime and kernel can make a mount read-only together with what is mounted below it
 * @param parts mounts of the root file system that have to be read-only as well
 */
export function toOciMounts(
  {mounts = [], privileged}: Pick<RootfsRequest, 'mounts' | 'privileged'>,
  {readsOnlyBelow = false, parts = []}: {readonly readsOnlyBelow?: boolean; readonly parts?: readonly RootfsPart[]} = {},
): readonly OciMount[] {
  const own = [...parts.map((part) => toReadOnlyPart(part, readsOnlyBelow)), ...mounts.map((mount) => toOciMount(mount, readsOnlyBelow))]
  const targets = new Set(own.map(({destination}) => destination))
  const isReplaced = ({destination}: OciMount) => targets.has(destination) || (targets.has('/dev') && destination.startsWith('/dev/'))
  const usual = defaultMounts.filter((mount) => !isReplaced(mount)).map((mount) => (privileged ? toWritable(mount) : mount))
  const isHidden = ({destination}: OciMount) => [...targets].some((target) => destination.startsWith(`${target}/`))
  return [
    ...usual.filter((mount) => !isHidden(mount)),
    ...[...own, ...usual.filter(isHidden)].toSorted((a, b) => toDepth(a.destination) - toDepth(b.destination)),
  ]
}

/** @throws TallyError INVALID_REQUEST for two mounts at one path: only one of them would be visible */
export function assertDifferentPlaces(mounts: readonly Mount[]): void {
  const seen = new Set<string>()
  for (const target of mounts.map((mount) => toPlace(mount.target))) {
    if (seen.has(target)) throw new TallyError('INVALID_REQUEST', `expected one mount at ${target}, got several`, {details: {target}})
    seen.add(target)
  }
}

function toPlace(path: string): string {
  const normal = posix.normalize(path)
  return normal === '/' ? normal : normal.replace(/\/$/, '')
}

function toDepth(path: string): number {
  return path.split('/').filter(Boolean).length
}

function toWritable(mount: OciMount): OciMount {
  return {...mount, options: mount.options.map((option) => (option === 'ro' ? 'rw' : option))}
}

function toReadOnlyPart({source, target}: RootfsPart, readsOnlyBelow: boolean): OciMount {
  return toOciMount({type: 'bind', source, target, readOnly: true}, readsOnlyBelow)
}

function toOciMount(mount: Mount, readsOnlyBelow: boolean): OciMount {
  const destination = toPlace(mount.target)
  if (mount.type === 'bind') return {destination, type: 'bind', source: mount.source, options: toBindOptions(mount, readsOnlyBelow)}
  return {destination, type: 'tmpfs', source: 'tmpfs', options: toTmpfsOptions(mount)}
}

function toBindOptions(
  {readOnly, propagation = 'rprivate', recursive = 'enabled'}: Extract<Mount, {type: 'bind'}>,
  readsOnlyBelow: boolean,
): readonly string[] {
  const isDeep = readOnly && readsOnlyBelow && (recursive === 'enabled' || recursive === 'readonly')
  return [recursive === 'disabled' ? 'bind' : 'rbind', propagation, readOnly ? 'ro' : 'rw', ...(isDeep ? ['rro'] : [])]
}

function toTmpfsOptions({
  suid,
  dev,
  exec,
  readOnly,
  sizeBytes,
  mode,
  uid,
  gid,
  inodes,
  atime,
}: Extract<Mount, {type: 'tmpfs'}>): readonly string[] {
  return [
    ...(suid ? [] : ['nosuid']),
    ...(dev ? [] : ['nodev']),
    ...(exec ? [] : ['noexec']),
    ...(readOnly ? ['ro'] : []),
    ...(atime === undefined ? [] : [atime]),
    ...(sizeBytes === undefined ? [] : [`size=${sizeBytes}`]),
    ...(mode === undefined ? [] : [`mode=${mode.toString(8)}`]),
    ...(uid === undefined ? [] : [`uid=${uid}`]),
    ...(gid === undefined ? [] : [`gid=${gid}`]),
    ...(inodes === undefined ? [] : [`nr_inodes=${inodes}`]),
  ]
}

/**
 * Read-only mounts of directories that contain other mounts. A read-only bind mount leaves those writable, unless it is recursive
 * (mount_setattr(2), Linux 5.12, and an OCI runtime that supports `rro`).
 */
import {realpathSync} from 'node:fs'
import {join, relative} from 'node:path'
import type {Mount} from '../../../machines/schemas/create-request.ts'
import {TallyError} from '../../kernel/errors.ts'
import {listMountsBelow} from '../../linux/mount.ts'
import type {RuntimeFeatures} from '../runc/features.ts'
import type {HostFacts} from './host-facts.ts'
import {isKernelAtLeast} from './kernel-version.ts'
import type {RootfsPart} from './mounts.ts'

const leastKernel = '5.12'

export function canReadOnlyBelow({kernel}: Pick<HostFacts, 'kernel'>, features: RuntimeFeatures | undefined): boolean {
  return isKernelAtLeast(kernel, leastKernel) && features?.mountOptions.has('rro') === true
}

/** The reason, where {@link canReadOnlyBelow} is false. */
export function whyNotBelow({kernel}: Pick<HostFacts, 'kernel'>): string {
  if (!isKernelAtLeast(kernel, leastKernel)) return `it takes Linux ${leastKernel}, and this is ${kernel}`
  return 'it takes an OCI runtime that says that it knows rro (runc from 1.1 on)'
}

/** @throws TallyError UNSUPPORTED for a recursively read-only mount that this host cannot make */
export function assertReadOnlyBelow(mounts: readonly Mount[], host: HostFacts, features: RuntimeFeatures | undefined): void {
  const strict = mounts.find((mount) => mount.type === 'bind' && mount.recursive === 'readonly')
  if (!strict || canReadOnlyBelow(host, features)) return
  throw new TallyError('UNSUPPORTED', `${strict.target} cannot be read-only with all that is mounted below it: ${whyNotBelow(host)}`)
}

/** What a container can write below its read-only mounts, one sentence for each place. */
export function findWritable(mounts: readonly Mount[], readsOnlyBelow: boolean): readonly string[] {
  return mounts.flatMap((mount) => {
    if (mount.type !== 'bind' || !mount.readOnly || mount.recursive === 'writable' || mount.recursive === 'disabled') return []
    const {source, target, propagation = 'rprivate'} = mount
    if (!propagation.endsWith('private')) return [`what is mounted below ${source} later is writable below ${target} (${propagation})`]
    const below = readsOnlyBelow ? [] : findTopmost(source)
    return below.map((path) => `${target}/${path} stays writable: the runtime or the kernel cannot make it read-only`)
  })
}

/** The mounts below a root file system, without mounts below those. */
export function findRootfsParts(rootfs: string): readonly RootfsPart[] {
  return findTopmost(rootfs).map((path) => ({source: join(rootfs, path), target: `/${path}`}))
}

/** Relative to the directory. */
function findTopmost(directory: string): readonly string[] {
  const real = realpathSync(directory)
  const below = [...new Set(listMountsBelow(real))].filter((path) => path !== real)
  return below.filter((path) => !below.some((other) => path.startsWith(`${other}/`))).map((path) => relative(real, path))
}

/**
 * The root file system of a container whose spec is generated: a directory as it is, one under an overlay that takes the
 * container's changes, or a list of mounts. All mounts are below the directory of the container, so that the process that removes them
 * finds them there, also when the process that made them was killed.
 */
import {execFileSync} from 'node:child_process'
import {chmodSync, chownSync, lstatSync, mkdirSync, statSync} from 'node:fs'
import {join} from 'node:path'
import type {RootfsMount, RootfsRequest} from '../../machines/schemas/create-request.ts'
import {toRealPath} from '../kernel/real-path.ts'
import {TallyError} from '../kernel/errors.ts'
import {SystemCallError} from '../linux/libc.ts'
import {listMountsBelow, mount, unmount} from '../linux/mount.ts'

export interface PreparedRootfs {
  readonly path: string
  /** Where an overlay keeps its changes: on the disk of the state directory, or in memory where overlayfs cannot use that disk. */
  readonly overlay?: 'disk' | 'memory'
}

/**
 * @param changes a directory that is copied into the new overlay as its first changes
 * @throws TallyError MOUNT_FAILED, with nothing left mounted
 */
export function mountRootfs({rootfs, rootfsMounts, overlay}: RootfsRequest, given: string, changes?: string): PreparedRootfs {
  // The runtime refuses a root behind a symbolic link, and the kernel lists mounts by their real paths.
  const dir = toRealPath(given)
  // At a restart the mounts of the former run are kept, since they have the changes of the container.
  if (isMounted(join(dir, 'rootfs'), dir))
    return {path: join(dir, 'rootfs'), ...(overlay && {overlay: isMounted(join(dir, 'overlay'), dir) ? 'memory' : 'disk'})}
  if (rootfsMounts) return {path: mountAll(rootfsMounts, join(dir, 'rootfs'), dir)}
  if (rootfs === undefined) throw new TallyError('INTERNAL', 'a request without a root file system was accepted')
  return overlay ? mountOverlay(rootfs, dir, changes) : {path: rootfs}
}

function isMounted(path: string, dir: string): boolean {
  return listMountsBelow(dir).includes(path)
}

/**
 * Unmounts everything at or below a directory. Idempotent. MUST be called before files there are removed: a bind mount leads to files of
 * the user.
 * @throws TallyError MOUNT_FAILED
 */
export function unmountBelow(dir: string): void {
  for (const target of listMountsBelow(dir)) {
    try {
      unmount(target)
    } catch (cause) {
      throw new TallyError('MOUNT_FAILED', `cannot unmount ${target}: ${describe(cause)}`, {details: {target}, cause})
    }
  }
}

function mountAll(mounts: readonly RootfsMount[], root: string, dir: string): string {
  mkdirSync(root, {recursive: true, mode: 0o711})
  for (const [index, {type, source, target = '/', options}] of mounts.entries()) {
    try {
      mount({type, source, target: makeTarget(root, target), ...(options && {options})})
    } catch (cause) {
      unmountBelow(dir)
      throw new TallyError(
        'MOUNT_FAILED',
        `cannot mount ${source} (${type}) on ${target}, number ${index + 1} of the root file system: ${describe(cause)}`,
        {
          details: {index, type, source, target},
          cause,
        },
      )
    }
  }
  return root
}

/** Creates the missing directories of a path below the root. Symbolic links are refused: they could lead out of the root. */
function makeTarget(root: string, target: string): string {
  return target
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .reduce((above, part) => {
      if (part === '..') throw new Error('expected a target without ..')
      const path = join(above, part)
      const found = lstatSync(path, {throwIfNoEntry: false})
      if (!found) mkdirSync(path, {mode: 0o755})
      else if (!found.isDirectory()) throw new Error(`${path} is not a directory`)
      return path
    }, root)
}

/** The directory with the changes of an overlay, below that of the container. */
export function toOverlayChanges(dir: string): string {
  return join(dir, 'overlay', 'upper')
}

/** Keeps owners, modes, extended attributes, and the devices that mark removed files (kernel documentation, overlayfs). */
export function copyOverlayChanges(from: string, to: string): void {
  execFileSync('cp', ['-a', '--reflink=auto', '--no-target-directory', from, to], {stdio: ['ignore', 'ignore', 'pipe']})
}

function mountOverlay(lower: string, dir: string, initial?: string): PreparedRootfs {
  const [changes, path] = [join(dir, 'overlay'), join(dir, 'rootfs')]
  for (const directory of [changes, path]) mkdirSync(directory, {recursive: true, mode: 0o700})
  try {
    try {
      mountOverlayOn(lower, {changes, initial}, path)
      return {path, overlay: 'disk'}
    } catch (error) {
      // EINVAL: overlayfs cannot keep its changes on another overlay, which the state directory is on inside of a container.
      if (!(error instanceof SystemCallError && error.code === 'EINVAL')) throw error
      mount({type: 'tmpfs', source: 'tmpfs', target: changes, options: ['mode=700']})
      mountOverlayOn(lower, {changes, initial}, path)
      return {path, overlay: 'memory'}
    }
  } catch (cause) {
    unmountBelow(dir)
    const advice = 'the container can be given the directory itself (overlay: false, --rw)'
    throw new TallyError('MOUNT_FAILED', `cannot put an overlay over ${lower}: ${describe(cause)}; ${advice}`, {
      details: {type: 'overlay', source: lower},
      cause,
    })
  }
}

function mountOverlayOn(
  lower: string,
  {changes, initial}: {readonly changes: string; readonly initial: string | undefined},
  target: string,
): void {
  const [upper, work] = [join(changes, 'upper'), join(changes, 'work')]
  for (const directory of [upper, work]) mkdirSync(directory, {recursive: true, mode: 0o700})
  if (initial !== undefined) copyOverlayChanges(initial, upper)
  // The root directory of an overlay has the owner and mode of its upper directory.
  const {uid, gid, mode} = statSync(lower)
  chownSync(upper, uid, gid)
  chmodSync(upper, mode & 0o7777)
  mount({
    type: 'overlay',
    source: 'overlay',
    target,
    options: [`lowerdir=${toOptionValue(lower)}`, `upperdir=${toOptionValue(upper)}`, `workdir=${toOptionValue(work)}`],
  })
}

/** Colons separate directories and commas separate options, unless escaped by a backslash (kernel documentation, overlayfs). */
function toOptionValue(path: string): string {
  return path.replace(/[\\:,]/g, (character) => `\\${character}`)
}

function describe(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

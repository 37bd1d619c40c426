/**
 * Removes what a container has on disk. All but the journal is removed before its deletion is journaled, so that what stands in the way
 * is the reason of a delete that has failed; the journal is removed last, when the stream has all of it.
 */
import {linkSync, lstatSync, mkdirSync, rmdirSync, rmSync, writeFileSync} from 'node:fs'
import {readdir, rmdir, unlink} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import type {Clock} from '../../kernel/clock.ts'
import {isErrorBody, TallyError} from '../../kernel/errors.ts'
import type {Logger} from '../../kernel/log.ts'
import type {ContainerLayout} from '../../layout/container-layout.ts'
import {freeId, leaveSharedDirectories} from '../../layout/shared-directories.ts'
import {backoff} from './backoff.ts'

type Place = Pick<ContainerLayout, 'stateDir' | 'journal'>

/**
 * Removes what is in the state directory, but for the journal, and finds out whether that can be removed as well. Idempotent. Nothing may
 * be mounted there.
 * @throws the error of the system call that stands in the way
 */
export async function emptyStateDir({stateDir, journal}: Place): Promise<void> {
  for (const entry of await readdir(stateDir)) {
    const path = join(stateDir, entry)
    if (path !== journal) await removeTree(path)
  }
  assertRemovable({stateDir, journal})
}

/** An error of a system call becomes the reason of a deletion that has failed; any other error is reported as it is. */
export function toDeleteFailure(error: unknown): unknown {
  if (isErrorBody(error) || !(error instanceof Error && 'syscall' in error)) return error
  return new TallyError('DELETE_FAILED', `cannot remove what was made for the container: ${error.message}`, {cause: error})
}

export interface RemoveLastDependencies {
  /** Takes away what was mounted for the root file system. Idempotent. @throws TallyError MOUNT_FAILED */
  readonly unmount: () => void
  readonly clock: Pick<Clock, 'sleep'>
  readonly logger: Pick<Logger, 'error'>
}

/** Removes the rest, when the stream has everything. What cannot be removed now is retried here, since no caller would. */
export async function removeLast(layout: ContainerLayout, {unmount, clock, logger}: RemoveLastDependencies): Promise<void> {
  for (const waitMs of backoff()) {
    try {
      // Behind a bind mount are files that are not the container's.
      unmount()
      leaveSharedDirectories(layout)
      freeId(layout)
      return
    } catch (error) {
      logger.error({err: error, waitMs}, 'cannot remove the last of a deleted container; trying again')
      await clock.sleep(waitMs)
    }
  }
}

/** @throws the error of the system call, with the path of what cannot be removed */
async function removeTree(path: string): Promise<void> {
  try {
    // At the speed of C, and below paths of any length.
    rmSync(path, {recursive: true, force: true})
  } catch {
    // It does not say what stood in the way.
    await removeOneByOne(path)
  }
}

async function removeOneByOne(path: string): Promise<void> {
  const found = lstatSync(path, {throwIfNoEntry: false})
  if (!found) return
  if (!found.isDirectory()) return await unlink(path)
  for (const entry of await readdir(path)) await removeOneByOne(join(path, entry))
  await rmdir(path)
}

/** As far as it can be known without removing anything: another name for the journal, another directory beside its own. */
function assertRemovable({stateDir, journal}: Place): void {
  const [name, probe] = [join(stateDir, '.name'), join(stateDir, '.probe')]
  try {
    attempt(() => linkSync(journal, name))
  } catch (error) {
    // Some file systems have no second names at all.
    writeFileSync(probe, '')
    if (isDone(() => linkSync(probe, name))) throw error
  } finally {
    for (const path of [name, probe]) rmSync(path, {force: true})
  }
  const beside = join(dirname(stateDir), '.beside')
  attempt(() => mkdirSync(beside, {recursive: true, mode: 0o700}))
  attempt(() => rmdirSync(beside))
}

/** Those which a removal would meet as well. */
const reasons: ReadonlySet<unknown> = new Set(['EPERM', 'EACCES', 'EROFS', 'EIO', 'EBUSY'])

function attempt(call: () => void): void {
  try {
    call()
  } catch (error) {
    if (error instanceof Error && 'code' in error && reasons.has(error.code)) throw error
  }
}

function isDone(call: () => void): boolean {
  try {
    call()
    return true
  } catch {
    return false
  }
}

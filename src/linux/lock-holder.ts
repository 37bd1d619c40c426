import {realpathSync, statSync} from 'node:fs'
import {listDescriptors} from './descriptors.ts'
import {readLockHolders} from './locks.ts'

/** The process that has the lock of a file; undefined when nobody has it, or there is no such file. */
export function findLockHolder(path: string): number | undefined {
  try {
    const file = realpathSync(path)
    const pid = readLockHolders().get(statSync(file).ino)
    // Files of different file systems may have the same inode number.
    return pid !== undefined && listDescriptors(pid).some(({target}) => target === file) ? pid : undefined
  } catch {
    return undefined
  }
}

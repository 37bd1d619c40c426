/** Room on a disk. */
import {statfsSync} from 'node:fs'
import {open, rm} from 'node:fs/promises'
import {join} from 'node:path'

/** What a file system says is free, for root; a hint, since quotas are not in it. */
export function readFreeBytes(dir: string): number {
  try {
    const {bfree, bsize} = statfsSync(dir)
    return bfree * bsize
  } catch {
    // Not there yet.
    return Number.POSITIVE_INFINITY
  }
}

/** Output may not take the last of a disk, so that what is journaled, and the stream, go on: so much, or a sixteenth of a small one. */
const keptBytes = 1024 * 1024

/** Whether there is more than what is kept for others. */
export function leavesRoom(path: string): boolean {
  try {
    const {bfree, blocks, bsize} = statfsSync(path)
    return bfree * bsize > Math.min(keptBytes, (blocks * bsize) / 16)
  } catch {
    // The write will tell.
    return true
  }
}

/** Whether a disk takes no more than so many bytes: what the file system says is confirmed by trying, since some say that nothing is free. */
export async function isFull(dir: string, leastBytes: number): Promise<boolean> {
  return readFreeBytes(dir) < leastBytes && !(await hasRoom(dir, leastBytes))
}

/** Whether a disk takes so many bytes more: found out by writing them, since no figure of statfs(2) has quotas, or what is written late. */
export async function hasRoom(dir: string, bytes: number): Promise<boolean> {
  const path = join(dir, `.room-${process.pid}`)
  try {
    const file = await open(path, 'w', 0o600)
    try {
      const {bytesWritten} = await file.write(Buffer.alloc(bytes))
      await file.datasync()
      return bytesWritten === bytes
    } finally {
      await file.close()
    }
  } catch {
    return false
  } finally {
    await rm(path, {force: true}).catch(() => {})
  }
}

/** Free space on a disk. */
import {statfsSync} from 'node:fs'
import {open, rm} from 'node:fs/promises'
import {join} from 'node:path'

/** What a file system reports as free, for root. A hint, since it ignores quotas. */
export function readFreeBytes(dir: string): number {
  try {
    const {bfree, bsize} = statfsSync(dir)
    return bfree * bsize
  } catch {
    // The directory does not exist yet.
    return Number.POSITIVE_INFINITY
  }
}

/** Whether a disk takes fewer bytes than that. Confirmed by writing them, since some file systems report that nothing is free. */
export async function isFull(dir: string, leastBytes: number): Promise<boolean> {
  return readFreeBytes(dir) < leastBytes && !(await hasRoom(dir, leastBytes))
}

/** Whether a disk takes that many bytes. Found out by writing them, since statfs(2) knows neither quotas nor delayed writes. */
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

/**
 * Reads files that somebody else has put there. A FIFO is not waited for, a device not opened (that alone can do something), and a
 * large file not read.
 */
import {closeSync, constants, fstatSync, openSync, readSync} from 'node:fs'

/** Names a file without opening it: open(2), of Linux. */
export const O_PATH = 0o10000000

/** @throws Error for what is not a regular file, or larger than that many bytes */
export function readTextFile(path: string, mostBytes: number): string {
  const place = openSync(path, O_PATH)
  try {
    return readPlace(place, mostBytes)
  } finally {
    closeSync(place)
  }
}

/** @param place a descriptor that names the file: whoever puts another into its place comes too late. @throws as readTextFile */
export function readPlace(place: number, mostBytes: number): string {
  const stat = fstatSync(place)
  if (!stat.isFile()) throw new Error('expected a regular file')
  if (stat.size > mostBytes) throw new Error(`expected at most ${mostBytes} bytes, got ${stat.size}`)
  const fd = openSync(`/proc/self/fd/${place}`, constants.O_RDONLY)
  try {
    return readUpTo(fd, stat.size)
  } finally {
    closeSync(fd)
  }
}

/** One that grows meanwhile is not followed. */
function readUpTo(fd: number, size: number): string {
  const buffer = Buffer.alloc(size)
  for (let length = 0; ; ) {
    const count = readSync(fd, buffer, length, size - length, length)
    length += count
    if (count === 0 || length === size) return buffer.toString('utf8', 0, length)
  }
}

/**
 * Reads files that somebody else has put there. A FIFO is not waited for, a device not opened (that alone can do something), and a
 * large file not read.
 */
import {closeSync, constants, fstatSync, openSync, readSync} from 'node:fs'
import {pathOnly} from './open-in-root.ts'

/** Of a config.json, or of a manifest. */
export const mostSpecBytes = 16 * 1024 * 1024

/** @throws Error for what is not a regular file, or larger than that many bytes */
export function readTextFile(path: string, mostBytes: number): string {
  // Whoever puts another into its place now comes too late: that one is looked at, and opened.
  const place = openSync(path, pathOnly)
  try {
    if (!fstatSync(place).isFile()) throw new Error('expected a regular file')
    return readOpenFile(openSync(`/proc/self/fd/${place}`, constants.O_RDONLY), mostBytes)
  } finally {
    closeSync(place)
  }
}

/** Closes it as well. @throws Error for one that is larger */
export function readOpenFile(fd: number, mostBytes: number): string {
  try {
    const {size} = fstatSync(fd)
    if (size > mostBytes) throw new Error(`expected at most ${mostBytes} bytes, got ${size}`)
    return readUpTo(fd, size)
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

/**
 * Reads files that users or containers control. It does not wait for a FIFO, does not open a device (opening one can have effects), and
 * does not read a large file.
 */
import {closeSync, constants, fstatSync, openSync, readSync} from 'node:fs'
import {pathOnly} from './open-in-root.ts'

/** Limit for a config.json or a manifest. */
export const mostSpecBytes = 16 * 1024 * 1024

/** @throws Error for anything but a regular file of at most `mostBytes` */
export function readTextFile(path: string, mostBytes: number): string {
  // The same file is checked and opened, also when another one is renamed to its path in between.
  const place = openSync(path, pathOnly)
  try {
    if (!fstatSync(place).isFile()) throw new Error('expected a regular file')
    return readOpenFile(openSync(`/proc/self/fd/${place}`, constants.O_RDONLY), mostBytes)
  } finally {
    closeSync(place)
  }
}

/** Closes the descriptor. @throws Error for a larger file */
export function readOpenFile(fd: number, mostBytes: number): string {
  try {
    const {size} = fstatSync(fd)
    if (size > mostBytes) throw new Error(`expected at most ${mostBytes} bytes, got ${size}`)
    return readUpTo(fd, size)
  } finally {
    closeSync(fd)
  }
}

/** Bytes that are appended while it is read are ignored. */
function readUpTo(fd: number, size: number): string {
  const buffer = Buffer.alloc(size)
  for (let length = 0; ; ) {
    const count = readSync(fd, buffer, length, size - length, length)
    length += count
    if (count === 0 || length === size) return buffer.toString('utf8', 0, length)
  }
}

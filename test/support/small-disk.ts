/** A small file system, a tmpfs, which a test can fill. Needs root. */
import {execFileSync} from 'node:child_process'
import {closeSync, mkdirSync, openSync, writeSync} from 'node:fs'

export function mountDisk(dir: string, size = '1m'): AsyncDisposable {
  mkdirSync(dir)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'tally-test', dir])
  return {[Symbol.asyncDispose]: async () => void execFileSync('umount', ['-l', dir])}
}

/** To the last byte. */
export function fill(file: string): void {
  const fd = openSync(file, 'a')
  try {
    for (const piece of [64 * 1024, 1024]) while (tryTo(() => writeSync(fd, Buffer.alloc(piece))));
  } finally {
    closeSync(fd)
  }
}

function tryTo(write: () => number): boolean {
  try {
    return write() > 0
  } catch {
    return false
  }
}

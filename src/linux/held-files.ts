/** Which files are locked by whom is the kernel's to say (proc(5), /proc/locks): asking takes no lock, so that nobody is kept from one. */
import {readFileSync} from 'node:fs'

/** Inodes of the files on which somebody has a lock of flock(2). Of whatever file system: numbers of several may meet. */
export function readHeldInodes(): ReadonlySet<number> {
  return parseHeldInodes(readFileSync('/proc/locks', 'utf8'))
}

/** `1: FLOCK  ADVISORY  WRITE 4711 08:01:123456 0 EOF`; a line of one that waits has `->` before the kind. */
export function parseHeldInodes(locks: string): ReadonlySet<number> {
  const held = [...locks.matchAll(/^\d+: FLOCK +\S+ +\S+ +-?\d+ [\da-f]+:[\da-f]+:(\d+) /gm)]
  return new Set(held.map(([, inode]) => Number(inode)))
}

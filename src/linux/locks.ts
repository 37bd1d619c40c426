import {readFileSync} from 'node:fs'

/** The processes that have a flock(2), by the inode of the file, from /proc/locks (proc(5)): found out without taking the lock. */
export function readLockHolders(text: string = readFileSync('/proc/locks', 'utf8')): ReadonlyMap<number, number> {
  return new Map(
    text.split('\n').flatMap((line): readonly (readonly [number, number])[] => {
      // `1: FLOCK  ADVISORY  WRITE 4711 00:1f:123456 0 EOF`; a process that waits for the lock has `->` before FLOCK.
      const [, pid, inode] = /^\d+: FLOCK +\w+ +WRITE (-?\d+) \w+:\w+:(\d+) /.exec(line) ?? []
      return pid === undefined || inode === undefined ? [] : [[Number(inode), Number(pid)]]
    }),
  )
}

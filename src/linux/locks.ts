import {readFileSync} from 'node:fs'

/** Who holds a flock(2) of a file, by the file's inode: whoever took it, without taking it. From /proc/locks (proc(5)). */
export function readLockHolders(text: string = readFileSync('/proc/locks', 'utf8')): ReadonlyMap<number, number> {
  return new Map(
    text.split('\n').flatMap((line): readonly (readonly [number, number])[] => {
      // `1: FLOCK  ADVISORY  WRITE 4711 00:1f:123456 0 EOF`; those that wait for it have `->` before.
      const [, pid, inode] = /^\d+: FLOCK +\w+ +WRITE (\d+) \w+:\w+:(\d+) /.exec(line) ?? []
      return pid === undefined || inode === undefined ? [] : [[Number(inode), Number(pid)]]
    }),
  )
}

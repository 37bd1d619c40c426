/**
 * A memory limit below what is in use: cgroup v1 refuses it, and on v2 the kernel kills processes. So it is found out before whether the
 * limit fits: writing `memory.high` reclaims what can be reclaimed, and kills nobody (kernel documentation, cgroup-v2).
 */
import {existsSync, readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'

export interface MemoryRoom extends Disposable {
  /** What is still in use. Until this is disposed of, it can grow beyond the limit only slowly. */
  readonly usedBytes: number
}

/** @param cgroups directories of the container's groups. @returns undefined on v1, where the kernel refuses what does not fit */
export function makeMemoryRoom(cgroups: readonly string[], limitBytes: number): MemoryRoom | undefined {
  const directory = cgroups.find((group) => existsSync(join(group, 'memory.current')))
  if (directory === undefined) return undefined
  const high = join(directory, 'memory.high')
  const readUsed = () => Number(readFileSync(join(directory, 'memory.current'), 'utf8'))
  if (readUsed() <= limitBytes) return {usedBytes: readUsed(), [Symbol.dispose]: () => {}}
  const before = readFileSync(high, 'utf8').trim()
  writeFileSync(high, String(limitBytes))
  return {
    usedBytes: readUsed(),
    [Symbol.dispose]: () => {
      // The container may have ended in the meantime.
      if (existsSync(high)) writeFileSync(high, before)
    },
  }
}

/**
 * A limit of memory below what is in use makes the kernel kill on cgroup v2, where v1 refuses it. So it is found out before: what can be
 * reclaimed is reclaimed by `memory.high`, which kills nobody (kernel documentation, cgroup-v2).
 */
import {existsSync, readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'

export interface MemoryRoom extends Disposable {
  /** What is in use still. Until this is disposed of, it grows beyond the limit but slowly. */
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
      // The container may have ended meanwhile.
      if (existsSync(high)) writeFileSync(high, before)
    },
  }
}

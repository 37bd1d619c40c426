/** How many processes the kernel has killed because a group was out of memory, in cgroups of version 1 and 2. */
import {readFileSync} from 'node:fs'
import {join} from 'node:path'

/** The counter in the memory group of a container. */
export interface OomCounter {
  /** The group. */
  readonly cgroup: string
  readonly file: string
  /** Whether inotify reports changes: it does for files of v2 (kernel documentation, cgroup-v2, `memory.events`), not for those of v1. */
  readonly isWatchable: boolean
}

/** Version 1 first: a hybrid host accounts for memory there, and has no `memory.events` in version 2. */
const counters = [
  {name: 'memory.oom_control', isWatchable: false},
  {name: 'memory.events', isWatchable: true},
] as const

/** Undefined when no group of the container accounts for memory, or the kernel does not count (v1 before Linux 4.13). */
export function findOomCounter(directories: readonly string[]): OomCounter | undefined {
  return counters
    .flatMap(({name, isWatchable}) => directories.map((cgroup) => ({cgroup, file: join(cgroup, name), isWatchable})))
    .find((counter) => readOomKills(counter) !== undefined)
}

/** Whether the group has a limit of its own. Without one, version 1 reports 2^63 less a page. */
export function hasMemoryLimit({cgroup}: Pick<OomCounter, 'cgroup'>): boolean {
  const texts = ['memory.limit_in_bytes', 'memory.max'].map((name) => {
    try {
      return readFileSync(join(cgroup, name), 'utf8')
    } catch {
      return ''
    }
  })
  return texts.some((text) => /^\d+$/.test(text.trim()) && Number(text) < 2 ** 62)
}

/** Undefined when the group is gone. */
export function readOomKills({file}: Pick<OomCounter, 'file'>): number | undefined {
  try {
    return parseOomKills(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

/** @param text of `memory.oom_control` or `memory.events`; both have a line `oom_kill <count>` */
export function parseOomKills(text: string): number | undefined {
  const [, count] = /^oom_kill (\d+)$/m.exec(text) ?? []
  return count === undefined ? undefined : Number(count)
}

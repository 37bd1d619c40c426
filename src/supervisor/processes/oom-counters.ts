/** The kernel's counters of processes that it killed because memory ran out, as the OOM watch reads them. */
import {watch} from 'node:fs'
import {isEnding} from '../../linux/ending.ts'
import {findOomCounter, hasMemoryLimit, type OomCounter, readOomKills} from '../../linux/oom.ts'

export interface OomCounters {
  /** Undefined when no group of the container accounts for memory. */
  find(cgroups: readonly string[]): OomCounter | undefined
  /** Undefined when the group is gone. */
  read(counter: OomCounter): number | undefined
  hasLimit(counter: OomCounter): boolean
  isEnding(pid: number): boolean
  /**
   * @param onLost no more changes are reported
   * @returns undefined when inotify's instances are used up (128 for a user, by default)
   */
  listen(counter: OomCounter, onChange: () => void, onLost: () => void): Disposable | undefined
}

export const linuxOomCounters: OomCounters = {
  find: findOomCounter,
  read: readOomKills,
  hasLimit: hasMemoryLimit,
  isEnding,
  listen: ({file}, onChange, onLost) => {
    try {
      const listener = watch(file, onChange)
      listener.on('error', () => {
        listener.close()
        onLost()
      })
      return {[Symbol.dispose]: () => listener.close()}
    } catch {
      return undefined
    }
  },
}

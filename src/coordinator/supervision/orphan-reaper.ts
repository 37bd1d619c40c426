/**
 * Processes that have lost their supervisor are children of the coordinator that started it. One that has ended stays a zombie, from
 * which the next supervisor reads how, until the journal has that. Then it is reaped: the init of its pid namespace cannot end before
 * (pid_namespaces(7)).
 * Whatever is in no journal is reaped after a while.
 */
import type {Clock} from '../../kernel/clock.ts'
import type {Logger} from '../../kernel/log.ts'
import {listChildren, readProcessStat} from '../../linux/process-table.ts'
import {becomeChildSubreaper} from '../../linux/subreaper.ts'
import {reapChild} from '../../linux/wait.ts'
import type {DescriptorStore} from './descriptor-store.ts'

/** Longer than Node takes for its own children, and a new supervisor to find what a dead one was about to journal. */
const patienceMs = 30_000

export interface OrphanReaperOptions {
  readonly descriptors: Pick<DescriptorStore, 'find'>
  readonly clock: Pick<Clock, 'elapsed'>
  readonly logger: Logger
}

/** @returns what is to be called now and then, and soon again if it says so: somebody waits for an end to be journaled */
export function createOrphanReaper({descriptors, clock, logger}: OrphanReaperOptions): () => boolean {
  becomeChildSubreaper()
  /** When each was first seen as a zombie. */
  const seen = new Map<string, number>()

  return () => {
    const zombies = listChildren().flatMap((pid) => {
      const stat = readProcessStat(pid)
      return stat?.isZombie
        ? [{pid, key: `${pid} ${stat.startTimeTicks}`, found: descriptors.find({pid, startTimeTicks: stat.startTimeTicks})}]
        : []
    })
    const keys = new Set(zombies.map(({key}) => key))
    for (const key of [...seen.keys()].filter((known) => !keys.has(known))) seen.delete(key)
    for (const {pid, key, found} of zombies) {
      const since = seen.get(key) ?? clock.elapsed()
      seen.set(key, since)
      if (found === 'awaited' || (found === undefined && clock.elapsed() - since < patienceMs)) continue
      logger.debug({orphan: pid}, 'reaped an orphan')
      reapChild(pid)
    }
    return zombies.some(({found}) => found === 'awaited')
  }
}

/**
 * Processes that have lost their supervisor are children of the coordinator that started it. One that has ended stays a zombie, from
 * which the next supervisor reads how, until the journal has that, and no longer: the init of a pid namespace cannot end before all
 * others of it are reaped (pid_namespaces(7)). Whatever no journal names is reaped after a while.
 */
import type {Clock} from '../kernel/clock.ts'
import type {Logger} from '../kernel/log.ts'
import {listChildren, readProcessStat} from '../linux/process-table.ts'
import {becomeChildSubreaper} from '../linux/subreaper.ts'
import {reapChild} from '../linux/wait.ts'
import type {Keeper} from './keeper.ts'

/** Longer than Node takes for its own children, and a new supervisor to find what a dead one was about to journal. */
const patienceMs = 30_000

export interface OrphanReaperOptions {
  readonly keeper: Pick<Keeper, 'standing'>
  readonly clock: Pick<Clock, 'now'>
  readonly logger: Logger
}

/** @returns what is to be called now and then, and soon again if it says so: somebody waits for an end to be journaled */
export function createOrphanReaper({keeper, clock, logger}: OrphanReaperOptions): () => boolean {
  becomeChildSubreaper()
  /** When each was first seen as a zombie. */
  const seen = new Map<string, number>()

  return () => {
    const zombies = listChildren().flatMap((pid) => {
      const stat = readProcessStat(pid)
      return stat?.isZombie
        ? [{pid, key: `${pid} ${stat.startTimeTicks}`, standing: keeper.standing({pid, startTimeTicks: stat.startTimeTicks})}]
        : []
    })
    const keys = new Set(zombies.map(({key}) => key))
    for (const key of [...seen.keys()].filter((known) => !keys.has(known))) seen.delete(key)
    for (const {pid, key, standing} of zombies) {
      const since = seen.get(key) ?? clock.now()
      seen.set(key, since)
      if (standing === 'awaited' || (standing === 'unknown' && clock.now() - since < patienceMs)) continue
      logger.debug({pid, standing}, 'reaped an orphan')
      reapChild(pid)
    }
    return zombies.some(({standing}) => standing === 'awaited')
  }
}

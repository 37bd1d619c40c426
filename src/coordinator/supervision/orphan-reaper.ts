/**
 * The processes of a container whose supervisor has died become children of the coordinator that started the supervisor. One that has
 * ended stays a zombie until its exit is in the journal, so that the next supervisor can read its status from it; then it is reaped. It
 * has to be: the init of its pid namespace cannot end before (pid_namespaces(7)).
 * A zombie that is in no journal is reaped after a while.
 */
import type {Clock} from '../../kernel/clock.ts'
import type {Logger} from '../../kernel/log.ts'
import {listChildren, readProcessStat} from '../../linux/process-table.ts'
import {becomeChildSubreaper} from '../../linux/subreaper.ts'
import {reapChild} from '../../linux/wait.ts'
import type {DescriptorStore} from './descriptor-store.ts'

/** Longer than Node.js takes to reap its own children, and a new supervisor to find what a dead one was about to journal. */
const patienceMs = 30_000

export interface OrphanReaper {
  /** @returns `awaits-journal` when there is a zombie whose exit is about to be journaled: call again soon */
  reap(): 'awaits-journal' | 'idle'
}

export interface OrphanReaperOptions {
  readonly descriptors: Pick<DescriptorStore, 'findExit'>
  readonly clock: Pick<Clock, 'elapsed'>
  readonly logger: Logger
}

export function createOrphanReaper({descriptors, clock, logger}: OrphanReaperOptions): OrphanReaper {
  becomeChildSubreaper()
  /** When each was first seen as a zombie. */
  const seen = new Map<string, number>()

  return {
    reap: () => {
      const zombies = listChildren().flatMap((pid) => {
        const stat = readProcessStat(pid)
        if (!stat?.isZombie) return []
        const {startTimeTicks} = stat
        return [{pid, key: `${pid} ${startTimeTicks}`, exit: descriptors.findExit({pid, startTimeTicks})}]
      })
      const keys = new Set(zombies.map(({key}) => key))
      for (const key of [...seen.keys()].filter((known) => !keys.has(known))) seen.delete(key)
      for (const {pid, key, exit} of zombies) {
        const since = seen.get(key) ?? clock.elapsed()
        seen.set(key, since)
        if (exit === 'awaited' || (exit === 'unknown' && clock.elapsed() - since < patienceMs)) continue
        logger.debug({orphan: pid}, 'reaped an orphan')
        reapChild(pid)
      }
      return zombies.some(({exit}) => exit === 'awaited') ? 'awaits-journal' : 'idle'
    },
  }
}

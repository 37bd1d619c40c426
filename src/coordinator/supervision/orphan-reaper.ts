/**
 * The processes of a container whose supervisor has died become children of the coordinator that started the supervisor. One that has
 * ended stays a zombie until its exit is in the journal, so that the next supervisor can read its status from it; then it is reaped. It
 * has to be: the init of its pid namespace cannot end before (pid_namespaces(7)).
 * A zombie that is in no journal is reaped after a while.
 *
 * Those of a coordinator that has died are children of its shim, which keeps them in the same way, and tells of them.
 */
import type {Clock} from '../../kernel/clock.ts'
import type {Logger} from '../../kernel/log.ts'
import {listChildren, readProcessStat} from '../../linux/process-table.ts'
import {becomeChildSubreaper} from '../../linux/subreaper.ts'
import {reapChild} from '../../linux/wait.ts'
import type {DescriptorStore} from './descriptor-store.ts'
import type {CoordinatorParent} from './parent.ts'

/** Longer than Node.js takes to reap its own children, and a new supervisor to find what a dead one was about to journal. */
const patienceMs = 30_000

export interface OrphanReaper {
  /** @returns `awaits-journal` when there is a zombie whose exit is about to be journaled: call again soon */
  reap(): 'awaits-journal' | 'idle'
}

interface Zombie {
  readonly pid: number
  readonly startTimeTicks: number
  readonly reap: () => void
}

export interface OrphanReaperOptions {
  readonly parent: Pick<CoordinatorParent, 'onOrphanExit'>
  readonly descriptors: Pick<DescriptorStore, 'findExit'>
  readonly clock: Pick<Clock, 'elapsed'>
  readonly logger: Logger
}

export function createOrphanReaper({parent, descriptors, clock, logger}: OrphanReaperOptions): OrphanReaper {
  becomeChildSubreaper()
  const ofParent = new Map<number, Zombie>()
  void parent.onOrphanExit(({pid, startTicks}) => {
    const {promise, resolve} = Promise.withResolvers<void>()
    const reap = () => {
      ofParent.delete(pid)
      resolve()
    }
    ofParent.set(pid, {pid, startTimeTicks: startTicks, reap})
    return promise
  })
  /** When each was first seen as a zombie. */
  const seen = new Map<string, number>()

  return {
    reap: () => {
      const zombies = [...listOwnZombies(), ...ofParent.values()].map((zombie) => ({
        ...zombie,
        key: `${zombie.pid} ${zombie.startTimeTicks}`,
        exit: descriptors.findExit(zombie),
      }))
      const keys = new Set(zombies.map(({key}) => key))
      for (const key of [...seen.keys()].filter((known) => !keys.has(known))) seen.delete(key)
      for (const {pid, key, exit, reap} of zombies) {
        const since = seen.get(key) ?? clock.elapsed()
        seen.set(key, since)
        if (exit === 'awaited' || (exit === 'unknown' && clock.elapsed() - since < patienceMs)) continue
        logger.debug({orphan: pid}, 'reaped an orphan')
        reap()
      }
      return zombies.some(({exit}) => exit === 'awaited') ? 'awaits-journal' : 'idle'
    },
  }
}

function listOwnZombies(): readonly Zombie[] {
  return listChildren().flatMap((pid) => {
    const stat = readProcessStat(pid)
    return stat?.isZombie ? [{pid, startTimeTicks: stat.startTimeTicks, reap: () => void reapChild(pid)}] : []
  })
}

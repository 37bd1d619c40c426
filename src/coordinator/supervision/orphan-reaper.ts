/**
 * The processes of a container whose shim was killed become children of the coordinator that started the shim, or of the shim above the
 * coordinator, which tells of them. One that has ended stays a zombie until its exit is in the journal, so that the next supervisor can learn
 * its status; then it is reaped. It has to be: the init of its pid namespace cannot end before (pid_namespaces(7)).
 * A zombie that is in no journal is reaped after a while.
 */
import {readFileSync} from 'node:fs'
import type {Clock} from '../../kernel/clock.ts'
import type {Logger} from '../../kernel/log.ts'
import {listChildren, readProcessStat} from '../../linux/process-table.ts'
import {becomeChildSubreaper} from '../../linux/subreaper.ts'
import {reapChild} from '../../linux/wait.ts'
import type {KnownExit} from '../../supervisor/assignment.ts'
import type {DescriptorStore} from './descriptor-store.ts'

/** Longer than Node.js takes to reap its own children, and a new supervisor to find what a dead one was about to journal. */
const unknownPatienceMs = 30_000

export interface OrphanReaper {
  /** @returns `awaits-journal` when there is a zombie whose exit is about to be journaled: call again soon */
  reap(): 'awaits-journal' | 'idle'
  /**
   * The child of another process has ended, and stays a zombie until the result resolves: its exit is journaled, or of no interest.
   * @param exit.status undefined when that process does not know it either
   */
  keep(exit: OrphanExit): Promise<void>
}

export interface OrphanExit {
  readonly pid: number
  readonly startTicks: number
  readonly status: KnownExit['exit'] | undefined
}

export interface OrphanReaperOptions {
  readonly descriptors: Pick<DescriptorStore, 'findExit' | 'note'>
  readonly clock: Pick<Clock, 'elapsed'>
  readonly logger: Logger
}

interface Zombie {
  readonly pid: number
  readonly startTimeTicks: number
  /** One that is in no journal is kept for so long. */
  readonly patienceMs: number
  readonly release: () => void
}

export function createOrphanReaper({descriptors, clock, logger}: OrphanReaperOptions): OrphanReaper {
  becomeChildSubreaper()
  /** When each was first seen as a zombie. */
  const seen = new Map<string, number>()
  /** Of another process. */
  const kept = new Map<string, Zombie>()

  return {
    reap: () => {
      const zombies = [...listZombies(), ...kept.values()].map((zombie) => ({
        ...zombie,
        key: toKey(zombie),
        exit: descriptors.findExit(zombie),
      }))
      const keys = new Set(zombies.map(({key}) => key))
      for (const key of [...seen.keys()].filter((known) => !keys.has(known))) seen.delete(key)
      for (const {pid, key, exit, patienceMs, release} of zombies) {
        const since = seen.get(key) ?? clock.elapsed()
        seen.set(key, since)
        if (exit === 'awaited' || (exit === 'unknown' && clock.elapsed() - since < patienceMs)) continue
        logger.debug({orphan: pid}, 'reaped an orphan')
        release()
      }
      return zombies.some(({exit}) => exit === 'awaited') ? 'awaits-journal' : 'idle'
    },
    keep: ({pid, startTicks: startTimeTicks, status}) => {
      const {promise, resolve} = Promise.withResolvers<void>()
      const key = toKey({pid, startTimeTicks})
      if (status) descriptors.note({pid, startTimeTicks, exit: status, source: 'coordinator'})
      const release = () => {
        kept.delete(key)
        resolve()
      }
      kept.set(key, {pid, startTimeTicks, patienceMs: isOurs(pid) ? 0 : unknownPatienceMs, release})
      return promise
    },
  }
}

/** Children of this process. Those that Node.js has spawned are reaped by Node.js, which must see their ends. */
function listZombies(): readonly Zombie[] {
  return listChildren().flatMap((pid) => {
    const stat = readProcessStat(pid)
    return stat?.isZombie
      ? [{pid, startTimeTicks: stat.startTimeTicks, patienceMs: unknownPatienceMs, release: () => void reapChild(pid)}]
      : []
  })
}

/** A shim, or the supervisor of a shim that was killed: of no interest any more. */
function isOurs(pid: number): boolean {
  try {
    return /^tally-(?:shim|superviso)/.test(readFileSync(`/proc/${pid}/comm`, 'utf8'))
  } catch {
    return false
  }
}

function toKey({pid, startTimeTicks}: Pick<Zombie, 'pid' | 'startTimeTicks'>): string {
  return `${pid} ${startTimeTicks}`
}

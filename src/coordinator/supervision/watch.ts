/** The round of the coordinator: what it looks at again and again, and at once when a child of it has ended. */
import {once} from 'node:events'
import type {Clock} from '../../kernel/clock.ts'
import type {DescriptorStore} from './descriptor-store.ts'
import type {OrphanReaper} from './orphan-reaper.ts'
import type {Shims} from './shims.ts'
import type {Supervision} from './supervision.ts'

export interface RoundPorts {
  /** Puts back a run directory that somebody has wiped; does nothing to one that is there. */
  readonly restoreRunDirectory: () => Promise<void>
  readonly descriptors: Pick<DescriptorStore, 'refresh'>
  readonly shims: Pick<Shims, 'refresh'>
  readonly supervision: Pick<Supervision, 'look'>
  readonly orphans: OrphanReaper
  readonly clock: Pick<Clock, 'sleep'>
  /** Aborted when the coordinator ends. */
  readonly signal: AbortSignal
}

const roundMs = 1_000
/** While an exit is about to be journaled. */
const hurriedRoundMs = 50

/** Shims that were started here, or are connected, report their end; whoever else supervises a container has to be looked at. */
export async function watchContainers({
  restoreRunDirectory,
  descriptors,
  shims,
  supervision,
  orphans,
  clock,
  signal,
}: RoundPorts): Promise<void> {
  while (!signal.aborted) {
    await restoreRunDirectory()
    // Before a successor is started, which is told what was found.
    descriptors.refresh()
    await shims.refresh()
    if (signal.aborted) return
    supervision.look()
    if (orphans.reap() === 'awaits-journal') await clock.sleep(hurriedRoundMs)
    else await untilChildEnds(clock)
  }
}

async function untilChildEnds(clock: Pick<Clock, 'sleep'>): Promise<void> {
  const listening = new AbortController()
  await Promise.race([clock.sleep(roundMs), once(process, 'SIGCHLD', {signal: listening.signal}).catch(() => {})])
  listening.abort()
}

/** What the coordinator has held while nobody supervised the container, found by what it is of. */
import type {ProcessIdentity} from '../../machines/events.ts'
import {readBootId} from '../linux/process-table.ts'
import type {Kept} from './assignment.ts'

export function findKeptProcess(kept: readonly Kept[], {pid, startTimeTicks, bootId}: ProcessIdentity): number | undefined {
  if (bootId !== readBootId()) return undefined
  return kept.find((one) => one.type === 'process' && one.pid === pid && one.startTimeTicks === startTimeTicks)?.fd
}

/** Of init, or of an added process. */
export function findKeptTerminal(kept: readonly Kept[], exec?: string): number | undefined {
  return kept.find((one) => one.type === 'terminal' && one.exec === exec)?.fd
}

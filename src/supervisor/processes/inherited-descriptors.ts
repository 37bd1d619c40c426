/** Descriptors that the coordinator held while the container had no supervisor, found by the process that they belong to. */
import type {ProcessIdentity} from '../../../machines/ledger/events.ts'
import {readBootId} from '../../linux/process-table.ts'
import type {InheritedDescriptor} from '../assignment.ts'

export function findInheritedProcess(
  inherited: readonly InheritedDescriptor[],
  {pid, startTimeTicks, bootId}: ProcessIdentity,
): number | undefined {
  if (bootId !== readBootId()) return undefined
  return inherited.find((one) => one.type === 'process' && one.pid === pid && one.startTimeTicks === startTimeTicks)?.fd
}

/** Of init, or of an added process. */
export function findInheritedTerminal(inherited: readonly InheritedDescriptor[], exec?: string): number | undefined {
  return inherited.find((one) => one.type === 'terminal' && one.exec === exec)?.fd
}

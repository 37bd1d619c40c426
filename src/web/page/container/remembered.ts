import type {Ledger} from '../../../../machines/ledger/ledger.ts'

/** All that the charts know of a container and of its processes: where they are, and what they remember. Pure. */
export function toRemembered({snapshot, processes}: Ledger): object {
  const added = [...processes].map(([exec, process]) => [exec, {state: process.value, ...process.context}] as const)
  return {state: snapshot.value, ...snapshot.context, ...(added.length > 0 && {processes: Object.fromEntries(added)})}
}

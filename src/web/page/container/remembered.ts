import type {Ledger} from '../../../../machines/ledger/ledger.ts'

/** The states and contexts of the charts of a container and its processes, as one object. Pure. */
export function toRemembered({snapshot, processes}: Ledger): object {
  const added = [...processes].map(([exec, process]) => [exec, {state: process.value, ...process.context}] as const)
  return {state: snapshot.value, ...snapshot.context, ...(added.length > 0 && {processes: Object.fromEntries(added)})}
}

import type {Ledger} from './ledger.ts'

/** Whether a container has no process, and nothing is to begin by itself: whatever supervises it can end until a command comes. */
export function isAtRest({snapshot, processes}: Ledger): boolean {
  if (!snapshot.matches('stopped') || snapshot.matches({stopped: 'rescheduling'})) return false
  return [...processes.values()].every(({value}) => value === 'created' || value === 'stopped' || value === 'deleted')
}

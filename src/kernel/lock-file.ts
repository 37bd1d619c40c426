import {join} from 'node:path'

/** Whose lock the coordinator of a state directory has: what says that it runs, whatever else there is of it. */
export function toLockFile(stateDir: string): string {
  return join(stateDir, 'coordinator.lock')
}

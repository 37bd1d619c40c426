import {join} from 'node:path'

/** The coordinator of a state directory has the lock of this file for as long as it runs. */
export function toLockFile(stateDir: string): string {
  return join(stateDir, 'coordinator.lock')
}

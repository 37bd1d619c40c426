import {join} from 'node:path'

/** The coordinator of a state directory has the lock of this file for as long as it runs. */
export function toLockFile(stateDir: string): string {
  return join(stateDir, 'coordinator.lock')
}

/** Where the shim that starts the coordinator listens (docs/shim.md). It has the lock of the directory for as long as it runs. */
export function toNodeSocket(runDir: string): string {
  return join(runDir, 'node.sock')
}

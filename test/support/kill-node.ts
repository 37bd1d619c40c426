import type {NodeInfo} from '../../machines/views/view.ts'
import {sendSignal} from './send-signal.ts'

/** Kills a coordinator together with the shim that would start it again: until `up`, there is none. */
export function killNode({coordinatorPid, parent}: NodeInfo): void {
  // Otherwise it would take the place of its shim.
  sendSignal(coordinatorPid, 'SIGSTOP')
  if (parent) sendSignal(parent.pid, 'SIGKILL')
  sendSignal(coordinatorPid, 'SIGKILL')
}

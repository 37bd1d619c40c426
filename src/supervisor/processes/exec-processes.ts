/** The processes that were added to the container, from their starts until their exits are journaled. */
import type {ProcessIdentity} from '../../../machines/ledger/events.ts'
import {isAlive} from '../../linux/process-table.ts'
import type {Observe} from '../loop/inbox.ts'
import type {WatchProcess} from './process-watcher.ts'

export interface ExecProcesses {
  /** Its exit will be reported as an event. */
  watch(exec: string, identity: ProcessIdentity): void
  /** Sends SIGKILL to those that are left: without a pid namespace of its own the end of init is not theirs. */
  killAll(): void
}

export interface ExecProcessesDependencies {
  readonly watch: WatchProcess
  readonly observe: Observe
}

export function createExecProcesses({watch, observe}: ExecProcessesDependencies): ExecProcesses {
  const left = new Set<ProcessIdentity>()

  return {
    watch: (exec, identity) => {
      left.add(identity)
      watch(identity, async ({exit, source, usage, seenAtMs}) => {
        const exitedAt = new Date(seenAtMs).toISOString()
        await observe({type: 'exec.exited', data: {exec, exit, exitedAt, source, ...(usage && {usage})}})
        left.delete(identity)
      })
    },
    killAll: () => {
      for (const identity of left) kill(identity)
    },
  }
}

/** It may end between the two. */
function kill(identity: ProcessIdentity): void {
  try {
    if (isAlive(identity)) process.kill(identity.pid, 'SIGKILL')
  } catch {}
}

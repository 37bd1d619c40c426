/** Ends the shim of a coordinator from outside, and the coordinator with it. */
import {createSystemClock} from '../kernel/clock.ts'
import {isAlive, type ProcessIdentity} from '../linux/process-table.ts'
import {readParentStatus} from './node-parent.ts'
import type {NodeOptions} from './node-options.ts'

const endPatienceMs = 10_000

/**
 * Sends SIGTERM, which the coordinator gets as well, and SIGKILL to one that does not end by it, or to a shim that does not answer. Either
 * may be killed at any time. Resolves when the shim has ended.
 */
export async function endShim(shim: ProcessIdentity, options: Pick<NodeOptions, 'stateDir' | 'runDir'>): Promise<void> {
  const clock = createSystemClock()
  signal(shim.pid, 'SIGTERM')
  for (const killAt = clock.elapsed() + endPatienceMs; isAlive(shim); await clock.sleep(10)) {
    if (clock.elapsed() <= killAt) continue
    const status = await readParentStatus(options)
    if (isAlive(shim)) signal(status?.pid ?? shim.pid, 'SIGKILL')
  }
}

function signal(pid: number, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended by itself.
  }
}

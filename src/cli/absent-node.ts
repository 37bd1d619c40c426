/** Tells a node that does not run from one whose run directory was wiped. */
import {existsSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {TallyError} from '../kernel/errors.ts'
import {toLockFile} from '../kernel/lock-file.ts'
import type {NodeOptions} from './node-options.ts'

/** A coordinator checks its run directory every second. */
const patienceMs = 5_000
const pollMs = 50

/**
 * Waits until the running coordinator has restored its connection file.
 * @returns false when no coordinator runs on the state directory
 * @throws TallyError NODE_NOT_RUNNING when it runs and does not restore the file
 */
export async function untilRestored({stateDir, runDir}: Pick<NodeOptions, 'stateDir' | 'runDir'>): Promise<boolean> {
  const {findLockHolder} = await import('../linux/lock-holder.ts')
  const file = join(runDir, 'connection.json')
  for (const giveUpAt = performance.now() + patienceMs; ; await sleep(pollMs)) {
    if (existsSync(file)) return true
    const pid = findLockHolder(toLockFile(stateDir))
    if (pid === undefined) return false
    if (performance.now() > giveUpAt) {
      throw new TallyError(
        'NODE_NOT_RUNNING',
        `the coordinator of ${stateDir}, pid ${pid}, has not written ${file}: it hangs, or has another --run-dir; \`tally down\` ends it`,
        {details: {pid, file}},
      )
    }
  }
}

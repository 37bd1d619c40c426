import type {Clock} from '../../kernel/clock.ts'
import {TallyError} from '../../kernel/errors.ts'
import {findCgroups, readCgroupProcesses, removeCgroup} from '../../linux/cgroup.ts'

const pollMs = 10
const patienceMs = 5_000

/**
 * Removes what a runtime that was killed has left of a container's groups, and kills the processes in them. Idempotent. As a rule there is
 * nothing to do, since the runtime does it.
 * @param path of the groups, the same in every hierarchy
 * @throws TallyError TIMED_OUT
 */
export async function removeCgroupRemains(path: string, clock: Pick<Clock, 'elapsed' | 'sleep'>): Promise<void> {
  for (const giveUpAt = clock.elapsed() + patienceMs; ; await clock.sleep(pollMs)) {
    const left = findCgroups(path)
    for (const pid of left.flatMap(readCgroupProcesses)) kill(pid)
    if (left.map(removeCgroup).every(Boolean)) return
    if (clock.elapsed() > giveUpAt) throw new TallyError('TIMED_OUT', `the groups ${left.join(', ')} cannot be removed`)
  }
}

/** It may have ended since it was listed. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {}
}

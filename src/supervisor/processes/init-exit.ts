/**
 * What is done at the moment in which the end of init is seen. It cannot be an effect of the chart: `container.exited` is journaled after
 * the ends of the processes that were added, which this brings about, and says whether the kernel killed init because memory ran out, which
 * can be found out only while its groups are there.
 */
import type {BootInstant} from '../../../machines/ledger/boot-instant.ts'
import type {Observe} from '../loop/inbox.ts'
import type {ExecProcesses} from './exec-processes.ts'
import type {OomWatch} from './oom-watch.ts'
import type {OnProcessExit} from './process-watcher.ts'

export interface InitExitDependencies {
  readonly execs: Pick<ExecProcesses, 'killAll'>
  readonly oom: Pick<OomWatch, 'hasEnded'>
  readonly bootNow: () => BootInstant
  readonly observe: Observe
}

export function createInitExit({execs, oom, bootNow, observe}: InitExitDependencies): OnProcessExit {
  return async ({exit, source, usage, seenAtMs, seenBootMs}) => {
    execs.killAll()
    const exitedAt = new Date(seenAtMs).toISOString()
    const oomKilled = oom.hasEnded(exit)
    const data = {
      exit,
      exitedAt,
      source,
      ...(usage && {usage}),
      ...(oomKilled && {oomKilled}),
      boot: {...bootNow(), ms: Math.round(seenBootMs)},
    }
    await observe({type: 'container.exited', data})
  }
}

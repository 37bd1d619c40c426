/** Ends this process and its shim: there is no container any more, or never was one. */
import type {Clock} from '../../kernel/clock.ts'
import type {SupervisorShim} from './supervisor-shim.ts'

const patienceMs = 5_000
const retryMs = 20

/** The shim refuses while there is something that this process has not seen. In the end the next supervisor finds that there is nothing to do. */
export async function endForGood(shim: Pick<SupervisorShim, 'leave'>, clock: Pick<Clock, 'elapsed' | 'sleep'>): Promise<never> {
  for (const giveUpAt = clock.elapsed() + patienceMs; clock.elapsed() < giveUpAt; await clock.sleep(retryMs)) {
    try {
      await shim.leave('end')
      process.exit(0)
    } catch {}
  }
  process.exit(1)
}

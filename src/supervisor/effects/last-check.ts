import type {Clock} from '../../kernel/clock.ts'
import type {HealthChecks} from './health-checks.ts'

/** It ends with the container, but the runtime may take a moment to say so. */
const patienceMs = 5_000

/** Waits for the check that may be under way when init ends. */
export async function lastCheck(health: Pick<HealthChecks, 'idle'>, clock: Pick<Clock, 'sleep'>): Promise<void> {
  await Promise.race([health.idle(), clock.sleep(patienceMs)])
}

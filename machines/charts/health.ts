/** How the answers of a health check are judged, as docker judges them. Pure: how long the program has run comes in. */
import type {HealthCheck, HealthStatus} from '../schemas/health.ts'

/**
 * `starting`: the program is within its start period, and failures do not count. `counting`: so many in a row have failed. How many is not
 * remembered beyond the death of a supervisor: the next one counts from 0.
 */
export type HealthPhase = {readonly type: 'starting'} | {readonly type: 'counting'; readonly failures: number}

export interface HealthJudgement {
  readonly phase: HealthPhase
  /** Undefined when this answer alone says nothing: within the start period, or not enough have failed. */
  readonly status: HealthStatus | undefined
}

/** @param ranMs since the start of the program */
export function beginHealth(check: HealthCheck, ranMs: number): HealthPhase {
  return isWithinStart(check, ranMs) ? {type: 'starting'} : counting(0)
}

/** Before the next check. */
export function toHealthWaitMs(phase: HealthPhase, {intervalMs, startIntervalMs}: HealthCheck): number {
  return phase.type === 'starting' ? startIntervalMs : intervalMs
}

export function judgeHealth(
  phase: HealthPhase,
  check: HealthCheck,
  {isWell, ranMs}: {readonly isWell: boolean; readonly ranMs: number},
): HealthJudgement {
  if (isWell) return {phase: counting(0), status: 'healthy'}
  if (phase.type === 'starting' && isWithinStart(check, ranMs)) return {phase, status: undefined}
  const failures = phase.type === 'starting' ? 1 : phase.failures + 1
  return {phase: counting(failures), status: failures >= check.retries ? 'unhealthy' : undefined}
}

/** A wall clock that was set back makes it less than nothing. */
function isWithinStart({startPeriodMs}: HealthCheck, ranMs: number): boolean {
  return Math.max(0, ranMs) < startPeriodMs
}

function counting(failures: number): HealthPhase {
  return {type: 'counting', failures}
}

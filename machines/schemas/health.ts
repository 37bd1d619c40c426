/** Health checks: a command that is run in the container at intervals, with the options that docker has for it. */
import * as z from 'zod'
import {absolutePath, argument, durationMs, positiveDurationMs} from './fields.ts'

export const healthCheckSchema = z.strictObject({
  /** The container is healthy when this command exits with 0. It has the user, directory and environment of init by default. */
  args: z.array(argument).min(1),
  cwd: absolutePath.optional(),
  user: argument.min(1).optional(),
  /** From the end of a check to the start of the next one. */
  intervalMs: positiveDurationMs.default(30_000),
  /** A check that takes longer is killed and counts as failed. */
  timeoutMs: positiveDurationMs.default(30_000),
  /** The container is unhealthy after this many failed checks in a row. */
  retries: z.int().min(1).max(1_000).default(3),
  /** Failures within this time after the start do not count. The first successful check ends the period. */
  startPeriodMs: durationMs.default(0),
  /** The interval during the start period. */
  startIntervalMs: positiveDurationMs.default(5_000),
})
export type HealthCheck = z.infer<typeof healthCheckSchema>

export const healthStatuses = ['healthy', 'unhealthy'] as const
export type HealthStatus = (typeof healthStatuses)[number]
/** A change of the health status. A check that confirms the status is not an event. */
export const healthChangeSchema = z.object({
  status: z.enum(healthStatuses),
  /** How many checks have failed in a row. */
  failures: z.int().nonnegative(),
  /** The first 4,096 bytes that the last check wrote, or why it could not be run. */
  output: z.string(),
})
export type HealthChange = z.infer<typeof healthChangeSchema>

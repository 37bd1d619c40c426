/** Health checks: a command that is run in the container now and then, as docker has them. */
import * as z from 'zod'
import {absolutePath} from './paths.ts'

const duration = z
  .int()
  .min(1)
  .max(2 ** 31 - 1)
const argument = z.string().regex(/^[^\0]*$/, 'expected no NUL character')

export const healthCheckSchema = z.strictObject({
  /** It is healthy when this exits 0. Run as the container's own user, in its own directory and environment unless told. */
  args: z.array(argument).min(1),
  cwd: absolutePath.optional(),
  user: argument.min(1).optional(),
  /** From the end of one to the begin of the next. */
  intervalMs: duration.default(30_000),
  /** One that takes longer is killed, and has failed. */
  timeoutMs: duration.default(30_000),
  /** So many in a row have to fail for it to be unhealthy. */
  retries: z.int().min(1).max(1_000).default(3),
  /** After the start failures do not count for so long; one that is well ends that at once. */
  startPeriodMs: z
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(0),
  /** Between two within that. */
  startIntervalMs: duration.default(5_000),
})
export type HealthCheck = z.infer<typeof healthCheckSchema>

export const healthStatuses = ['healthy', 'unhealthy'] as const
/** A change of it is an event; a check that finds what was found before is none. */
export const healthChangeSchema = z.object({
  status: z.enum(healthStatuses),
  /** How many have failed in a row. */
  failures: z.int().nonnegative(),
  /** What the last one has written, the first 4,096 bytes, or why it could not be run. */
  output: z.string(),
})
export type HealthChange = z.infer<typeof healthChangeSchema>

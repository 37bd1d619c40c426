/**
 * A time on the boot clock (CLOCK_BOOTTIME): milliseconds since the host booted, including suspend, unaffected by changes of the wall
 * clock. Deadlines and the time between two events are measured with it; wall clock times beside it are for people.
 */
import * as z from 'zod'

export const bootInstantSchema = z.object({
  /** Identifies the boot: /proc/sys/kernel/random/boot_id. */
  bootId: z.string(),
  /** Milliseconds since that boot. */
  ms: z.int().nonnegative(),
})
export type BootInstant = z.infer<typeof bootInstantSchema>

/** Milliseconds between two moments: by the boot clock, or by the wall clock if the host was booted in between. */
export function spanMs(from: Moment, to: Moment): number {
  if (from.boot && to.boot && from.boot.bootId === to.boot.bootId) return to.boot.ms - from.boot.ms
  return Date.parse(to.time) - Date.parse(from.time)
}

export interface Moment {
  /** RFC 3339 */
  readonly time: string
  /** Absent in ledgers that were written by releases before 0.5. */
  readonly boot?: BootInstant | undefined
}

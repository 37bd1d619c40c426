/**
 * A moment on the clock that begins with the boot of the host, goes on while it is asleep, and that nobody sets: what a deadline, or
 * a span between two events, is measured by. Times of the wall clock beside it are for people.
 */
import * as z from 'zod'

export const bootInstantSchema = z.object({
  /** Of the boot: /proc/sys/kernel/random/boot_id. */
  bootId: z.string(),
  /** Since then. */
  ms: z.int().nonnegative(),
})
export type BootInstant = z.infer<typeof bootInstantSchema>

/** Two events, or a deadline and now, in milliseconds: by the boot clock, or by the wall clock where another boot is between them. */
export function spanMs(from: Moment, to: Moment): number {
  if (from.boot && to.boot && from.boot.bootId === to.boot.bootId) return to.boot.ms - from.boot.ms
  return Date.parse(to.time) - Date.parse(from.time)
}

export interface Moment {
  /** RFC 3339 */
  readonly time: string
  /** Absent in ledgers of releases before 0.5. */
  readonly boot?: BootInstant | undefined
}

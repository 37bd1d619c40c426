/** What a container has used so far and uses now. What its host does not account for is absent, never 0. */
import * as z from 'zod'
import {topLevelStates} from '../charts/states.ts'

const count = z.number().nonnegative()

export const statsReplySchema = z.object({
  /** When it was read. */
  time: z.string(),
  state: z.enum(topLevelStates),
  cpu: z
    .object({
      /** CPU time of all its processes since create, the sum over all CPUs. */
      usageNs: count,
      userNs: count.optional(),
      systemNs: count.optional(),
      /** Periods of 100 ms in which it ran and had a limit, and those in which it reached it. */
      periods: count.optional(),
      throttledPeriods: count.optional(),
      throttledNs: count.optional(),
    })
    .optional(),
  memory: z
    .object({
      usageBytes: count,
      /** Without what the kernel can drop at once: files that were not used lately. */
      workingSetBytes: count.optional(),
      /** Absent when there is none. */
      limitBytes: count.optional(),
      anonBytes: count.optional(),
      fileBytes: count.optional(),
      swapBytes: count.optional(),
      /** Processes killed for want of memory. */
      oomKills: count.optional(),
    })
    .optional(),
  pids: z.object({current: count, limit: count.optional()}).optional(),
  /** From and to block devices. */
  io: z.object({readBytes: count, writeBytes: count, readOps: count, writeOps: count}).optional(),
})
export type StatsReply = z.infer<typeof statsReplySchema>

/** Nothing runs any more: the numbers are the last. */
export function isFinalSample({state}: Pick<StatsReply, 'state'>): boolean {
  return state !== 'created' && state !== 'starting' && state !== 'running'
}

/** The resource usage of a container. A value that the host does not account for is absent, never 0. */
import * as z from 'zod'
import {topLevelStates} from '../charts/states.ts'

const count = z.number().nonnegative()

export const statsReplySchema = z.object({
  /** When the values were read. */
  time: z.string(),
  state: z.enum(topLevelStates),
  cpu: z
    .object({
      /** CPU time of all processes of the container since create, summed over all CPUs. */
      usageNs: count,
      userNs: count.optional(),
      systemNs: count.optional(),
      /** With a CPU limit: scheduling periods (100 ms) in which the container ran, and those in which it was throttled. */
      periods: count.optional(),
      throttledPeriods: count.optional(),
      throttledNs: count.optional(),
    })
    .optional(),
  memory: z
    .object({
      usageBytes: count,
      /** Usage without inactive file cache, which the kernel can drop at once. */
      workingSetBytes: count.optional(),
      /** Absent when there is no limit. */
      limitBytes: count.optional(),
      anonBytes: count.optional(),
      fileBytes: count.optional(),
      swapBytes: count.optional(),
      /** The number of processes that were killed because memory ran out. */
      oomKills: count.optional(),
    })
    .optional(),
  pids: z.object({current: count, limit: count.optional()}).optional(),
  /** Reads from and writes to block devices. */
  io: z.object({readBytes: count, writeBytes: count, readOps: count, writeOps: count}).optional(),
})
export type StatsReply = z.infer<typeof statsReplySchema>

/** The container has ended: the values will not change any more. */
export function isFinalSample({state}: Pick<StatsReply, 'state'>): boolean {
  return state !== 'created' && state !== 'starting' && state !== 'running'
}

/** What a container may use at most, as it is asked for at create and changed by an update. */
import * as z from 'zod'

/** Together with memory; at least as much. */
export const memorySwapBytesSchema = z.int().positive().nullable()
/** The part of the CPU that it gets when there is not enough for all; others have 1024 unless told (sched(7)). */
export const cpuSharesSchema = z.int().min(2).max(262_144)
/** On which CPUs it runs (cpuset(7), list format). */
export const cpusetCpusSchema = z.string().regex(/^\d+(-\d+)?(,\d+(-\d+)?)*$/, {
  error: (issue) => `expected CPUs such as 0-2,4, got ${JSON.stringify(issue.input)}`,
})

/** `null` lifts a limit; what is absent stays as it is. */
export const limitFields = {
  memoryBytes: z.int().positive().nullable().optional(),
  /** Memory and swap together. When it was never set it goes with `memoryBytes`: a limit of memory allows no swap. */
  memorySwapBytes: memorySwapBytesSchema.optional(),
  cpus: z.number().positive().max(10_000).nullable().optional(),
  cpuShares: cpuSharesSchema.optional(),
  cpusetCpus: cpusetCpusSchema.optional(),
  pidsLimit: z.int().positive().nullable().optional(),
} as const
export const limitsSchema = z.object(limitFields)
export type Limits = z.infer<typeof limitsSchema>

/** Those that a request asks for; a bundle has its own, which are not looked at. */
export function toLimits(request: object): Limits {
  return limitsSchema.parse(request)
}

export function hasLimits(limits: Limits): boolean {
  return Object.keys(limits).length > 0
}

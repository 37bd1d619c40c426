/** The resource limits of a container, as set by `create` and changed by `update`. */
import * as z from 'zod'

export const memoryBytesSchema = z.int().positive()
/** Memory and swap together: at least the memory limit. `null` is no limit. */
export const memorySwapBytesSchema = z.int().positive().nullable()
/** CPU time in units of whole CPUs, such as 0.5. */
export const cpusSchema = z.number().positive().max(10_000)
/** The weight of the container when CPUs are busy; the default of the kernel is 1024 (sched(7)). */
export const cpuSharesSchema = z.int().min(2).max(262_144)
/** The CPUs that the container may run on (cpuset(7), list format). */
export const cpusetCpusSchema = z.string().regex(/^\d+(-\d+)?(,\d+(-\d+)?)*$/, {
  error: (issue) => `expected CPUs such as 0-2,4, got ${JSON.stringify(issue.input)}`,
})
/** The number of processes and threads. */
export const pidsLimitSchema = z.int().positive()

/** `null` removes a limit; an absent field leaves it as it is. */
export const limitFields = {
  memoryBytes: memoryBytesSchema.nullable().optional(),
  /** If it was never set, it equals `memoryBytes`: a memory limit then allows no swap. */
  memorySwapBytes: memorySwapBytesSchema.optional(),
  cpus: cpusSchema.nullable().optional(),
  cpuShares: cpuSharesSchema.optional(),
  cpusetCpus: cpusetCpusSchema.optional(),
  pidsLimit: pidsLimitSchema.nullable().optional(),
} as const
export const limitsSchema = z.object(limitFields)
export type Limits = z.infer<typeof limitsSchema>

/** The limits in a create request. The limits inside a bundle are not read. */
export function toLimits(request: object): Limits {
  return limitsSchema.parse(request)
}

export function hasLimits(limits: Limits): boolean {
  return Object.keys(limits).length > 0
}

/** What a user may say of restarts, as docker and podman name it. */
import * as z from 'zod'

const duration = z
  .int()
  .min(0)
  .max(2 ** 31 - 1)

export const restartPolicySchema = z
  .strictObject({
    /** `always` and `unless-stopped` differ after a boot of the host: `always` starts also what somebody had stopped. */
    policy: z.enum(['no', 'on-failure', 'always', 'unless-stopped']),
    /** Restarts in a row that did not last; then it is given up. No such number when absent. Of `on-failure` alone. */
    maxRetries: z.int().min(1).max(1_000_000).optional(),
    /** Before the first restart; doubled for each that follows in a row. */
    delayMs: duration.default(100),
    maxDelayMs: duration.default(60_000),
    /** Whoever has run for so long has recovered: what follows is counted anew. */
    windowMs: duration.default(10_000),
  })
  .refine(({policy, maxRetries}) => policy === 'on-failure' || maxRetries === undefined, {
    error: 'expected maxRetries with the policy on-failure alone',
    path: ['maxRetries'],
  })

export type RestartPolicy = z.infer<typeof restartPolicySchema>

/** When a container is restarted, with the policies of docker and podman. */
import * as z from 'zod'
import {durationMs} from './fields.ts'

export const restartPolicySchema = z
  .strictObject({
    /** `always` and `unless-stopped` differ after a boot of the host: `always` also starts containers that a caller had stopped. */
    policy: z.enum(['no', 'on-failure', 'always', 'unless-stopped']),
    /** With `on-failure`: how many restarts in a row may fail before the container stays stopped. Unlimited when absent. */
    maxRetries: z.int().min(1).max(1_000_000).optional(),
    /** The delay before the first restart; it doubles with each further restart in a row. */
    delayMs: durationMs.default(100),
    maxDelayMs: durationMs.default(60_000),
    /** A container that has run this long counts as recovered: the next delay is `delayMs` again. */
    windowMs: durationMs.default(10_000),
  })
  .refine(({policy, maxRetries}) => policy === 'on-failure' || maxRetries === undefined, {
    error: 'expected maxRetries with the policy on-failure alone',
    path: ['maxRetries'],
  })

export type RestartPolicy = z.infer<typeof restartPolicySchema>

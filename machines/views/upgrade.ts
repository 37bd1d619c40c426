/** What `relieve` and `upgrade` reply. */
import * as z from 'zod'

/** The reply of a container's `relieve` command. */
export const relieveReplySchema = z.object({
  /** False when it runs the wanted program already, and stays. */
  leaves: z.boolean(),
  version: z.string(),
  /** The path of the bundle that it runs. */
  program: z.string(),
  /** How it is started. */
  command: z.array(z.string()).min(1),
})
export type RelieveReply = z.infer<typeof relieveReplySchema>

/** The reply of a node's `upgrade` command. */
export const upgradeReplySchema = z.object({
  /**
   * `upgraded`: shim and supervisor are replaced; `asleep`: the shim is, and the supervisor is when it wakes; `at-rest`: there is no process, and
   * the next one is of the new program; `kept`: all or some of it is as before, for the reason in `why`.
   */
  outcome: z.enum(['upgraded', 'asleep', 'at-rest', 'kept']),
  why: z.string().optional(),
})
export type UpgradeReply = z.infer<typeof upgradeReplySchema>

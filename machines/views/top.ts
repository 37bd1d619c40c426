/** The processes of a container, as its host sees them. */
import * as z from 'zod'

export const topReplySchema = z.object({
  processes: z.array(
    z.object({
      /** On the host. */
      pid: z.int(),
      /** On the host; of init it is the supervisor. */
      parentPid: z.int(),
      /** In the innermost pid namespace. */
      pidInContainer: z.int().optional(),
      /** `R` running, `S` sleeping, `D` waiting for a device, `T` stopped, `Z` ended. */
      state: z.string(),
      /** On the host, and its name there; the number when it has none. */
      uid: z.int(),
      user: z.string(),
      cpuMs: z.number(),
      startedAt: z.string(),
      /** The command line; the name in brackets when there is none. */
      args: z.array(z.string()),
      /** It is longer than what is shown of it. */
      argsCut: z.boolean().optional(),
      init: z.boolean(),
      /** It came by this exec, or from a process that did. */
      execId: z.string().optional(),
    }),
  ),
  /** There are more, behind this pid. */
  next: z.int().optional(),
})
export type TopReply = z.infer<typeof topReplySchema>
export type ContainerProcess = TopReply['processes'][number]

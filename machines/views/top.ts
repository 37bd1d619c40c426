/** The reply of `top`: the processes of a container, as the host sees them. */
import * as z from 'zod'

export const topReplySchema = z.object({
  processes: z.array(
    z.object({
      /** The pid on the host. */
      pid: z.int(),
      /** The parent's pid on the host; the parent of init is the supervisor. */
      parentPid: z.int(),
      /** The pid in the innermost pid namespace. */
      pidInContainer: z.int().optional(),
      /** `R` running, `S` sleeping, `D` waiting for a device, `T` stopped, `Z` ended. */
      state: z.string(),
      /** The user id on the host, and the user's name there; the number if it has no name. */
      uid: z.int(),
      user: z.string(),
      cpuMs: z.number(),
      startedAt: z.string(),
      /** The command line; the name of the program in brackets if it is empty. */
      args: z.array(z.string()),
      /** `args` is not complete. */
      argsCut: z.boolean().optional(),
      init: z.boolean(),
      /** The added process that it is, or descends from. */
      execId: z.string().optional(),
    }),
  ),
  /** There are more processes after this pid. */
  next: z.int().optional(),
})
export type TopReply = z.infer<typeof topReplySchema>
export type ContainerProcess = TopReply['processes'][number]

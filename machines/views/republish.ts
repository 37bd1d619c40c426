/** The reply of a container's `republish` command. */
import * as z from 'zod'

export const republishReplySchema = z.object({
  /** Up to this sequence the stream was equal to the journal: each event once and in order. */
  kept: z.int().nonnegative(),
  /** The number of events that were removed from the stream. */
  removed: z.int().nonnegative(),
  /** Up to this sequence the stream is now equal to the journal. */
  published: z.int().positive(),
})
export type RepublishReply = z.infer<typeof republishReplySchema>

import * as z from 'zod'

/** Reply of a container's `republish` command. */
export const republishReplySchema = z.object({
  /** Up to this sequence the stream had what the journal has, each event once and in order. */
  kept: z.int().nonnegative(),
  /** How many were taken out of the stream. */
  removed: z.int().nonnegative(),
  /** Up to this sequence it has them now. */
  published: z.int().positive(),
})
export type RepublishReply = z.infer<typeof republishReplySchema>

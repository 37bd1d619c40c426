/** What a user may ask of `exec`, as it crosses the wire: one more process in a container. */
import * as z from 'zod'
import {argument, consoleSizeSchema, environmentVariable} from './fields.ts'
import {absolutePath} from './paths.ts'

export const execSpecSchema = z.strictObject({
  args: z.array(argument).min(1),
  /** Beside those of the container, whose values they replace. */
  env: z.array(environmentVariable).default([]),
  /** The container's own when absent. */
  cwd: absolutePath.optional(),
  /** As for `create`; the container's own when absent. */
  user: argument.min(1).optional(),
  /** A pseudo-terminal as 0, 1 and 2. */
  terminal: z.boolean().optional(),
  consoleSize: consoleSizeSchema.optional(),
  /** Somebody will send it input; without, it reads an end of file. */
  stdin: z.boolean().optional(),
  /** Forget it, by itself, once it has ended. */
  autoRemove: z.boolean().default(false),
})
export type ExecSpec = z.infer<typeof execSpecSchema>

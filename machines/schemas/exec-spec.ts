/** What a caller can ask of `exec`: one more process in a container. */
import * as z from 'zod'
import {absolutePath, argument, consoleSizeSchema, environmentVariable} from './fields.ts'

export const execSpecSchema = z.strictObject({
  args: z.array(argument).min(1),
  /** Added to the environment of the container; the same names replace its values. */
  env: z.array(environmentVariable).default([]),
  /** By default the directory of the container. */
  cwd: absolutePath.optional(),
  /** As in `create`; by default the user of the container. */
  user: argument.min(1).optional(),
  /** The file descriptors 0, 1 and 2 are a pseudo-terminal. */
  terminal: z.boolean().optional(),
  consoleSize: consoleSizeSchema.optional(),
  /** The process has an input that clients can write to; otherwise it reads end of file. */
  stdin: z.boolean().optional(),
  /** Delete the process from the container's list when it has ended. */
  autoRemove: z.boolean().default(false),
})
export type ExecSpec = z.infer<typeof execSpecSchema>

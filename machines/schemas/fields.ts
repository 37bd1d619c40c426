/** Fields that several requests have. */
import * as z from 'zod'

export const environmentVariable = z
  .string()
  .regex(/^[^=\0]+=[^\0]*$/, {error: (issue) => `expected KEY=VALUE, got ${JSON.stringify(issue.input)}`})

export const argument = z.string().regex(/^[^\0]*$/, 'expected no NUL character')

/** Of a terminal, in characters: a 16-bit number each (ioctl_tty(2), struct winsize). */
export const consoleSizeSchema = z.strictObject({columns: z.int().min(1).max(65_535), rows: z.int().min(1).max(65_535)})

export type ConsoleSize = z.infer<typeof consoleSizeSchema>

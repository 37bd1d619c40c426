/** Field types that several requests and events share. Each is declared here and nowhere else. */
import * as z from 'zod'

/** An argument of a command line: execve(2) ends it at the first NUL character. */
export const argument = z.string().regex(/^[^\0]*$/, 'expected no NUL character')

export const environmentVariable = z
  .string()
  .regex(/^[^=\0]+=[^\0]*$/, {error: (issue) => `expected KEY=VALUE, got ${JSON.stringify(issue.input)}`})

export const absolutePath = z
  .string()
  .regex(/^\/[^\0]*$/, {error: (issue) => `expected an absolute path, got ${JSON.stringify(issue.input)}`})

/** RFC 3339, with an offset from UTC. */
export const instant = z.iso.datetime({offset: true})

/** The longest delay that a timer of Node.js accepts, about 24.8 days. */
const longestDurationMs = 2 ** 31 - 1
export const durationMs = z.int().min(0).max(longestDurationMs)
export const positiveDurationMs = z.int().min(1).max(longestDurationMs)

/** The size of a terminal in characters; the kernel has 16 bits for each number (ioctl_tty(2), struct winsize). */
export const consoleSizeSchema = z.strictObject({columns: z.int().min(1).max(65_535), rows: z.int().min(1).max(65_535)})
export type ConsoleSize = z.infer<typeof consoleSizeSchema>

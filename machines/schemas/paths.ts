import * as z from 'zod'

export const absolutePath = z
  .string()
  .regex(/^\/[^\0]*$/, {error: (issue) => `expected an absolute path, got ${JSON.stringify(issue.input)}`})

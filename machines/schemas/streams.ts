/** The two streams of a process's output. */
import * as z from 'zod'

export const streamNames = ['stdout', 'stderr'] as const
export const streamNameSchema = z.enum(streamNames)
export type StreamName = z.infer<typeof streamNameSchema>

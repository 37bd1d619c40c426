import * as z from 'zod'
import {isSignalName, type SignalName} from '../schemas/signals.ts'

export const signalNameSchema = z.custom<SignalName>((value) => typeof value === 'string' && isSignalName(value), {
  error: (issue) => `expected a signal name such as SIGTERM, got ${JSON.stringify(issue.input)}`,
})

/** How a process ended. `lost` says that no source could know; nothing ever invents a code. */
export const processExitSchema = z.discriminatedUnion('type', [
  z.strictObject({type: z.literal('code'), code: z.int().min(0).max(255)}),
  z.strictObject({type: z.literal('signal'), signal: signalNameSchema, coreDumped: z.boolean().optional()}),
  z.strictObject({type: z.literal('lost'), reason: z.string()}),
])
export type ProcessExit = z.infer<typeof processExitSchema>

/** It has done what it was for, as far as anybody knows. */
export function isSuccess(exit: ProcessExit): boolean {
  return exit.type === 'code' && exit.code === 0
}

/** Who learned the status: the supervisor's own wait, the coordinator's, the kernel's pidfd record, or nobody. */
export const exitSourceSchema = z.enum(['waitid', 'coordinator', 'pidfd', 'none'])
export type ExitSource = z.infer<typeof exitSourceSchema>

/** How a process ended, and which observer learned it. */
import * as z from 'zod'
import {signalNameSchema} from '../schemas/signals.ts'

/** `lost` means that no source knows the exit status. An exit status is never guessed. */
export const processExitSchema = z.discriminatedUnion('type', [
  z.strictObject({type: z.literal('code'), code: z.int().min(0).max(255)}),
  z.strictObject({type: z.literal('signal'), signal: signalNameSchema, coreDumped: z.boolean().optional()}),
  z.strictObject({type: z.literal('lost'), reason: z.string()}),
])
export type ProcessExit = z.infer<typeof processExitSchema>

export function isSuccess(exit: ProcessExit): boolean {
  return exit.type === 'code' && exit.code === 0
}

/** Where the status comes from: waitid(2) in the supervisor, the coordinator, the kernel's record behind a pidfd, or nowhere. */
export const exitSourceSchema = z.enum(['waitid', 'coordinator', 'pidfd', 'none'])
export type ExitSource = z.infer<typeof exitSourceSchema>

/** The text messages of a terminal's WebSocket. */
import * as z from 'zod'
import {consoleSizeSchema} from '../../../machines/schemas/fields.ts'
import type {ProcessExit} from '../../../machines/ledger/process-exit.ts'
import type {ErrorBody} from '../../kernel/errors.ts'

export type TerminalMessage =
  /** The program was executed, or the process was joined; `exec` is the id of a process that was added for this socket. */
  | {readonly type: 'ready'; readonly exec?: string | undefined}
  /** After the last of its output. */
  | {readonly type: 'exit'; readonly exit: ProcessExit}
  | {readonly type: 'error'; readonly error: ErrorBody}

const resizeSchema = z.object({type: z.literal('resize'), ...consoleSizeSchema.shape})
export type ResizeMessage = z.infer<typeof resizeSchema>

export function formatMessage(message: TerminalMessage): string {
  return JSON.stringify(message)
}

/** Undefined for anything else. */
export function parseMessage(bytes: Uint8Array): ResizeMessage | undefined {
  try {
    return resizeSchema.parse(JSON.parse(Buffer.from(bytes).toString()))
  } catch {
    // Sent by a page of another release.
    return undefined
  }
}

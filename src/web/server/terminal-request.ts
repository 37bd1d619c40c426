/** What a WebSocket is opened for, parsed from the query of its address. */
import * as z from 'zod'
import {argument, consoleSizeSchema} from '../../../machines/schemas/fields.ts'
import {idSchema} from '../../../machines/ledger/ids.ts'
import {parseRequest} from '../../messaging/codec.ts'

const digits = z
  .string()
  .regex(/^\d{1,5}$/, 'expected a number')
  .transform(Number)
const size = {
  columns: digits.pipe(consoleSizeSchema.shape.columns).default(80),
  rows: digits.pipe(consoleSizeSchema.shape.rows).default(24),
}
const list = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text)
    } catch {
      context.addIssue({code: 'custom', message: 'expected a JSON list of texts'})
      return z.NEVER
    }
  })
  .pipe(z.array(argument).min(1))

export const terminalRequestSchema = z.discriminatedUnion('mode', [
  /** An additional process with its own terminal. */
  z.strictObject({mode: z.literal('exec'), args: list.default(['sh']), ...size}),
  /** The container's own process, or with `exec` one that was added. */
  z.strictObject({mode: z.literal('attach'), exec: idSchema.optional(), ...size}),
])
export type TerminalRequest = z.infer<typeof terminalRequestSchema>

/** @throws TallyError INVALID_REQUEST */
export function parseTerminalRequest(query: URLSearchParams): TerminalRequest {
  return parseRequest(terminalRequestSchema, Buffer.from(JSON.stringify(Object.fromEntries(query))))
}

/** The limits that the stream had when this node last saw it, in the state directory. */
import {readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import * as z from 'zod'
import type {Logger} from '../../kernel/log.ts'
import {streamLimitsSchema} from '../../messaging/stream-limits.ts'

const seenSchema = z.object({
  /** When that stream was made: another one of the same name was made at another time. */
  created: z.string(),
  limits: streamLimitsSchema,
})
export type SeenStream = z.infer<typeof seenSchema>

/** Undefined when there is none yet, or it is half written. */
export function readSeenStream(stateDir: string): SeenStream | undefined {
  try {
    const parsed = seenSchema.safeParse(JSON.parse(readFileSync(toFile(stateDir), 'utf8')))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

/** Never throws: on a full disk the file is older than what was seen. */
export function writeSeenStream(stateDir: string, seen: SeenStream, logger: Logger): void {
  const file = toFile(stateDir)
  try {
    writeFileSync(file, `${JSON.stringify(seen)}\n`, {mode: 0o600})
  } catch (error) {
    logger.warn({err: error, file}, 'cannot write down the limits of the stream')
  }
}

function toFile(stateDir: string): string {
  return join(stateDir, 'stream.json')
}

/** The place of a listener in the stream, as the id of a message: `42-1764198435654`. */
import * as z from 'zod'
import type {StreamedEvent} from '../../messaging/stream.ts'

export interface FeedPlace {
  readonly streamSequence: number
  /** When that event was stored, which tells one stream from another; undefined for a listener that has received none yet. */
  readonly storedAtMs: number | undefined
}

export const placeSchema = z
  .string()
  .regex(/^\d{1,15}(-\d{1,15})?$/, {error: (issue) => `expected a place in the stream, got ${JSON.stringify(issue.input)}`})
  .transform((text): FeedPlace => {
    const [sequence, storedAtMs] = text.split('-')
    return {streamSequence: Number(sequence), storedAtMs: storedAtMs === undefined ? undefined : Number(storedAtMs)}
  })

export function formatPlace({streamSequence, storedAtMs}: StreamedEvent): string {
  return `${streamSequence}-${Math.floor(storedAtMs)}`
}

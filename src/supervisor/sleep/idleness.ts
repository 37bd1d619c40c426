/** Whether a supervisor has anything to do: pure. One that has not falls asleep, which is no more than that its process ends. */

export interface Activity {
  /** Effects that are being carried out, and requests that are not answered. */
  readonly open: number
  /** When the last of them ended, and the last event was journaled. As all times here: milliseconds since boot. */
  readonly lastMs: number
  /** Whether what was observed is in the journal, and all of the journal in the stream. */
  readonly isRecorded: boolean
  /** Until when somebody follows output or samples; undefined when nobody does. */
  readonly attendedUntilMs: number | undefined
  /** When there is something to do by itself: deadlines, the next health check. */
  readonly dues: readonly number[]
}

export type Idleness =
  /** Look again at that time. */
  | {readonly type: 'busy'; readonly untilMs: number}
  /** @param dueMs when it has to be woken, whatever happens; undefined for never */
  | {readonly type: 'idle'; readonly dueMs: number | undefined}

/** @param afterMs how long nothing has to happen */
export function judgeIdleness(
  {open, lastMs, isRecorded, attendedUntilMs, dues}: Activity,
  {nowMs, afterMs}: {readonly nowMs: number; readonly afterMs: number},
): Idleness {
  const later = {type: 'busy', untilMs: nowMs + afterMs} as const
  if (open > 0 || !isRecorded) return later
  if (attendedUntilMs !== undefined && attendedUntilMs > nowMs) return later
  if (lastMs + afterMs > nowMs) return {type: 'busy', untilMs: lastMs + afterMs}
  const dueMs = dues.length === 0 ? undefined : Math.min(...dues)
  // To be woken at once would be no rest.
  return dueMs !== undefined && dueMs < nowMs + afterMs ? {type: 'busy', untilMs: dueMs + afterMs} : {type: 'idle', dueMs}
}

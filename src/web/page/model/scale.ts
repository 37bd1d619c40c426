/**
 * Positions of events on the timeline. Events may be milliseconds or hours apart: the space between two of them grows with the
 * logarithm of the gap, so that both remain visible. Pure.
 */
import type {LedgerEvent} from '../../../../machines/ledger/events.ts'

/** One position for each event, from 0 to 1. */
export function toPositions(events: readonly LedgerEvent[]): readonly number[] {
  if (events.length < 2) return events.map(() => 0)
  const gaps = events.slice(1).map((event, index) => toRoom(Date.parse(event.time) - Date.parse(events[index]?.time ?? event.time)))
  const total = gaps.reduce((sum, gap) => sum + gap, 0)
  let at = 0
  return [0, ...gaps.map((gap) => (at += gap / total))]
}

/** The index of the nearest event. */
export function nearestTo(positions: readonly number[], position: number): number {
  let best = 0
  positions.forEach((at, index) => {
    if (Math.abs(at - position) < Math.abs((positions[best] ?? 0) - position)) best = index
  })
  return best
}

/** How long each event is shown during playback: grows with the logarithm of the gap after it, up to 1.6 s. */
export function toRestMs(gapMs: number): number {
  return Math.min(1_600, 450 + 160 * Math.log10(1 + Math.max(0, gapMs)))
}

function toRoom(gapMs: number): number {
  return 1 + 0.55 * Math.log10(1 + Math.max(0, gapMs) / 20)
}

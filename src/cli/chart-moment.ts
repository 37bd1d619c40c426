/** The events that a chart is drawn from. */
import type {AnyStateMachine} from 'xstate'
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import {isOfProcess} from '../chart/machines.ts'

/** A chart, and the exec process it is the chart of. */
export interface Charted {
  readonly machine: AnyStateMachine
  /** Undefined for the container itself. */
  readonly exec: string | undefined
}

/** Those events of a container that the chart is folded from. */
export function toOwnEvents(events: readonly LedgerEvent[], {exec}: Charted): readonly LedgerEvent[] {
  return exec === undefined ? events : events.filter((event) => isOfProcess(event, exec))
}

/** `default/web  7  container.exited  2026-01-02T03:04:05.678Z` */
export function toCaption(name: string, events: readonly LedgerEvent[]): string {
  const latest = events.at(-1)
  return latest ? `${name}  ${latest.sequence}  ${latest.type}  ${latest.time}` : name
}

/** Which chart is drawn, of which events. */
import type {AnyStateMachine} from 'xstate'
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import {isOfProcess} from '../chart/machines.ts'

/** Which chart, and which of a container's events are its. */
export interface Charted {
  readonly machine: AnyStateMachine
  /** An added process, whose chart it is. */
  readonly exec: string | undefined
}

/** Those of a container that its chart, or that of an added process, is folded from. */
export function toOwnEvents(events: readonly LedgerEvent[], {exec}: Charted): readonly LedgerEvent[] {
  return exec === undefined ? events : events.filter((event) => isOfProcess(event, exec))
}

/** `default/web  7  container.exited  2026-01-02T03:04:05.678Z` */
export function toCaption(name: string, events: readonly LedgerEvent[]): string {
  const latest = events.at(-1)
  return latest ? `${name}  ${latest.sequence}  ${latest.type}  ${latest.time}` : name
}

/** Events of recorded containers, for tests of charts. */
import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {parseLedgerEvent} from '../../../machines/ledger/cloud-event.ts'
import type {LedgerEvent} from '../../../machines/ledger/events.ts'

export function readGolden(path: string): readonly LedgerEvent[] {
  const text = readFileSync(join(import.meta.dirname, '../../fixtures/journals', path), 'utf8')
  return text.trim().split('\n').map(parseLedgerEvent)
}

export const wholeLife = readGolden('0.1.0/whole-life.jsonl')
export const execs = readGolden('0.2.0/execs.jsonl')
/** The events up to the start. */
export const started = wholeLife.slice(0, wholeLife.findIndex(({type}) => type === 'container.started') + 1)

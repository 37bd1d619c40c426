/** Golden journals, as the page receives them. */
import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {parseLedgerEvent} from '../../../../machines/ledger/cloud-event.ts'
import type {LedgerEvent} from '../../../../machines/ledger/events.ts'

export function readHistory(name: string): readonly LedgerEvent[] {
  const text = readFileSync(join(import.meta.dirname, '../../../fixtures/journals', name), 'utf8')
  return text.trimEnd().split('\n').map(parseLedgerEvent)
}

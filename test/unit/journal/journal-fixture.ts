/** Journals of a whole life, in a directory that is removed at the end of its scope. */
import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {toCloudEvent} from '../../../machines/ledger/cloud-event.ts'
import type {LedgerEvent} from '../../../machines/ledger/events.ts'
import {toHistory} from '../../support/given.ts'
import {histories} from '../support/histories.ts'
import {makeTempDir} from '../support/temp-dir.ts'

export const life = toHistory(histories.deleted)
export const toLine = (event: LedgerEvent) => `${JSON.stringify(toCloudEvent(event))}\n`

export function makeJournalFile(events: readonly LedgerEvent[] = life) {
  const dir = makeTempDir()
  const path = join(dir.path, 'journal.jsonl')
  writeFileSync(path, events.map(toLine).join(''))
  return {path, [Symbol.dispose]: () => dir[Symbol.dispose]()}
}

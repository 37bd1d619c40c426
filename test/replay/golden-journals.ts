/** Journals as every release wrote them, each with the view that it MUST fold to in all later releases. */
import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {parseLedgerEvent} from '../../machines/ledger/cloud-event.ts'
import {foldEvents, type Ledger} from '../../machines/ledger/ledger.ts'

const root = join(import.meta.dirname, '../fixtures/journals')

export interface GoldenJournal {
  /** `<release>/<name>` */
  readonly name: string
  readonly path: string
  readonly lines: readonly string[]
  readonly view: unknown
}

export const goldenJournals: readonly GoldenJournal[] = readdirSync(root, {recursive: true, encoding: 'utf8'})
  .filter((file) => file.endsWith('.jsonl'))
  .sort()
  .map((file) => {
    const path = join(root, file)
    return {
      name: file.replace(/\.jsonl$/, ''),
      path,
      lines: readFileSync(path, 'utf8').split('\n').slice(0, -1),
      view: JSON.parse(readFileSync(path.replace(/\.jsonl$/, '.view.json'), 'utf8')),
    }
  })

export function foldLines(lines: readonly string[]): Ledger {
  return foldEvents(lines.map(parseLedgerEvent))
}

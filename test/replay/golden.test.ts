import {readFileSync} from 'node:fs'
import {describe, expect, it} from 'vitest'
import {parseLedgerEvent, toCloudEvent} from '../../machines/ledger/cloud-event.ts'
import {eventSchemas} from '../../machines/ledger/events.ts'
import {applyEvent, emptyLedger, foldEvents} from '../../machines/ledger/ledger.ts'
import {toContainerView} from '../../machines/views/container-view.ts'
import {containerViewSchema} from '../../machines/views/view.ts'
import {readJournalFile} from '../../src/journal/file-journal.ts'
import {foldLines, goldenJournals} from './golden-journals.ts'

describe('the golden journals', () => {
  it('exist for every release', () => {
    expect(goldenJournals.map(({name}) => name)).toEqual([
      ...['adopted', 'create-failed', 'failures', 'forced-delete', 'paused', 'stopping', 'whole-life'].map((name) => `0.1.0/${name}`),
      ...['execs', 'oom', 'updated'].map((name) => `0.2.0/${name}`),
      ...['checkpointed', 'restored'].map((name) => `0.3.0/${name}`),
      ...['gave-up', 'healthy', 'republished', 'restart-cancelled', 'restarts-gave-up'].map((name) => `0.4.0/${name}`),
    ])
  })

  it('contain every type of event', () => {
    const types = new Set(goldenJournals.flatMap(({lines}) => lines.map((line) => parseLedgerEvent(line).type)))
    expect([...types].sort()).toEqual(Object.keys(eventSchemas).sort())
  })
})

describe.each(goldenJournals)('the golden journal $name', ({path, lines, view}) => {
  it('folds to its view', () => {
    expect(toContainerView(foldLines(lines))).toStrictEqual(view)
    expect(containerViewSchema.parse(view)).toStrictEqual(view)
  })

  it('is read from its file with the same result', () => {
    expect(toContainerView(foldEvents(readJournalFile(path)))).toStrictEqual(view)
  })

  it('is written today as it was then', () => {
    const written = lines.map((line) => `${JSON.stringify(toCloudEvent(parseLedgerEvent(line)))}\n`)
    expect(written.join('')).toBe(readFileSync(path, 'utf8'))
  })

  it('folds at every length, and event by event to the same state', () => {
    let ledger = emptyLedger
    for (const [index, line] of lines.entries()) {
      ;({ledger} = applyEvent(ledger, parseLedgerEvent(line)))
      expect(foldLines(lines.slice(0, index + 1))).toEqual(ledger)
    }
  })
})

import {once} from 'node:events'
import {readFileSync, statSync} from 'node:fs'
import {join} from 'node:path'
import {execa} from 'execa'
import {describe, expect, it} from 'vitest'
import {openFileJournal, readJournalFile} from '../../../src/journal/file-journal.ts'
import {makeTempDir} from '../support/temp-dir.ts'
import {life, makeJournalFile, toLine} from './journal-fixture.ts'

describe('a journal', () => {
  it('is created empty, with access for the owner only', () => {
    using dir = makeTempDir()
    const path = join(dir.path, 'journal.jsonl')
    using journal = openFileJournal(path)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(journal.latestSequence()).toBe(0)
    expect([...journal.read()]).toEqual([])
    expect(journal.repair).toEqual({tornBytes: 0})
  })

  it('has a line for each event, equal to the published message', async () => {
    using file = makeJournalFile([])
    using journal = openFileJournal(file.path)
    for (const event of life) journal.append(event)
    await journal.sync()
    expect(readFileSync(file.path, 'utf8')).toBe(life.map(toLine).join(''))
  })

  it('reads appended events from any sequence', () => {
    using file = makeJournalFile([])
    using journal = openFileJournal(file.path)
    for (const event of life) {
      journal.append(event)
      expect(journal.latestSequence()).toBe(event.sequence)
    }
    for (let after = 0; after <= life.length; after += 1) expect([...journal.read(after)]).toEqual(life.slice(after))
    expect([...journal.read(100)]).toEqual([])
  })

  it('continues after it was closed and opened again', () => {
    using file = makeJournalFile(life.slice(0, 2))
    for (const event of life.slice(2)) {
      using journal = openFileJournal(file.path)
      expect(journal.latestSequence()).toBe(event.sequence - 1)
      journal.append(event)
    }
    expect([...readJournalFile(file.path)]).toEqual(life)
  })

  it('is locked until its writer closes it', () => {
    using file = makeJournalFile()
    {
      using first = openFileJournal(file.path)
      expect(() => openFileJournal(file.path)).toThrow(expect.objectContaining({code: 'JOURNAL_LOCKED', kind: 'conflict'}))
      expect(first.latestSequence()).toBe(life.length)
    }
    using second = openFileJournal(file.path)
    expect(second.latestSequence()).toBe(life.length)
  })

  it('can be locked by a writer that waits while another process tests the lock', async () => {
    using file = makeJournalFile()
    const looking = execa('flock', [file.path, 'sh', '-c', 'echo held; sleep 0.03'])
    await once(looking.stdout, 'data')
    using journal = openFileJournal(file.path)
    expect(journal.latestSequence()).toBe(life.length)
    await looking
  })

  it('can be read while another process writes it', () => {
    using file = makeJournalFile(life.slice(0, 1))
    using journal = openFileJournal(file.path)
    for (const event of life.slice(1)) journal.append(event)
    expect([...readJournalFile(file.path)]).toEqual(life)
  })

  it('reports a failed fdatasync', async () => {
    using file = makeJournalFile()
    const journal = openFileJournal(file.path)
    journal[Symbol.dispose]()
    await expect(journal.sync()).rejects.toMatchObject({code: 'JOURNAL_WRITE_FAILED'})
  })
})

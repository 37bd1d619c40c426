import {appendFileSync, readFileSync, statSync, writeFileSync} from 'node:fs'
import {describe, expect, it} from 'vitest'
import {openFileJournal, readJournalFile} from '../../../src/journal/file-journal.ts'
import {life, makeJournalFile, toLine} from './journal-fixture.ts'

describe('a journal with a torn last line', () => {
  const [last] = life.slice(2, 3).map(toLine)
  const whole = life.slice(0, 2)

  it.each([1, 2, 100, -2, -1])('is truncated before it and reports the length (%i bytes)', (length) => {
    using file = makeJournalFile(whole)
    const torn = last?.slice(0, length) ?? ''
    appendFileSync(file.path, torn)
    using journal = openFileJournal(file.path)
    expect(journal.repair).toEqual({tornBytes: torn.length})
    expect(readFileSync(file.path, 'utf8')).toBe(whole.map(toLine).join(''))
    for (const event of life.slice(2)) journal.append(event)
    expect([...journal.read()]).toEqual(life)
  })

  it('is not truncated by a reader, which ignores the line', () => {
    using file = makeJournalFile(whole)
    appendFileSync(file.path, last?.slice(0, -1) ?? '')
    const size = statSync(file.path).size
    expect([...readJournalFile(file.path)]).toEqual(whole)
    expect(statSync(file.path).size).toBe(size)
  })

  it('may have no other line', () => {
    using file = makeJournalFile([])
    writeFileSync(file.path, '\0'.repeat(4096))
    using journal = openFileJournal(file.path)
    expect(journal.repair).toEqual({tornBytes: 4096})
    expect(statSync(file.path).size).toBe(0)
  })
})

describe('a damaged journal', () => {
  const lines = life.map(toLine)
  const damages: readonly (readonly [string, readonly string[], number])[] = [
    ['a line of junk in the middle', lines.with(2, 'junk\n'), 3],
    ['an empty line', lines.with(1, '\n'), 2],
    ['half a line in the middle', lines.with(3, `${lines[3]?.slice(0, 50)}\n`), 4],
    ['a last line of junk that ends with a newline', lines.with(-1, 'junk\n'), life.length],
    ['a flipped bit', lines.with(0, lines[0]?.replace('"specversion"', '"specversioo"') ?? ''), 1],
  ]

  it.each(damages)('with %s is rejected with file and line', (_, damaged, line) => {
    using file = makeJournalFile()
    writeFileSync(file.path, damaged.join(''))
    const refused = expect.objectContaining({code: 'JOURNAL_DAMAGED', details: {path: file.path, line}})
    expect(() => openFileJournal(file.path)).toThrow(refused)
    expect(() => [...readJournalFile(file.path)]).toThrow(refused)
    expect(readFileSync(file.path, 'utf8')).toBe(damaged.join(''))
  })

  it.each<[string, readonly string[], number]>([
    ['a line missing', lines.toSpliced(2, 1), 3],
    ['a line twice', lines.toSpliced(2, 0, lines[1] ?? ''), 3],
    ['lines swapped', lines.with(1, lines[2] ?? '').with(2, lines[1] ?? ''), 2],
  ])('with %s is rejected by the writer', (_, damaged, line) => {
    using file = makeJournalFile()
    writeFileSync(file.path, damaged.join(''))
    expect(() => openFileJournal(file.path)).toThrow(expect.objectContaining({code: 'JOURNAL_DAMAGED', details: {path: file.path, line}}))
  })

  it('is neither kept open nor locked', () => {
    using file = makeJournalFile()
    writeFileSync(file.path, 'junk\n')
    expect(() => openFileJournal(file.path)).toThrow('is not an event of this ledger')
    writeFileSync(file.path, lines.join(''))
    using journal = openFileJournal(file.path)
    expect(journal.latestSequence()).toBe(life.length)
  })
})

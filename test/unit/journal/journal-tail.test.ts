import {appendFileSync, renameSync, rmSync, truncateSync, writeFileSync} from 'node:fs'
import {describe, expect, it} from 'vitest'
import {createJournalTail} from '../../../src/journal/journal-tail.ts'
import {life, makeJournalFile, toLine} from './journal-fixture.ts'

const [first, ...others] = life.map(toLine)

describe('the tail of a journal', () => {
  it('returns all events first, then new ones', () => {
    using file = makeJournalFile(life.slice(0, 2))
    const tail = createJournalTail(file.path)
    expect(tail.read()).toEqual({events: life.slice(0, 2), isOther: true})
    expect(tail.read()).toEqual({events: [], isOther: false})
    appendFileSync(file.path, life.slice(2, 4).map(toLine).join(''))
    expect(tail.read()).toEqual({events: life.slice(2, 4), isOther: false})
  })

  it('returns a line once, when it is complete', () => {
    using file = makeJournalFile([])
    const tail = createJournalTail(file.path)
    appendFileSync(file.path, `${first}${others[0]?.slice(0, 30)}`)
    expect(tail.read().events).toEqual(life.slice(0, 1))
    expect(tail.read().events).toEqual([])
    appendFileSync(file.path, others[0]?.slice(30) ?? '')
    expect(tail.read()).toEqual({events: life.slice(1, 2), isOther: false})
  })

  it('starts again when the file was replaced or truncated', () => {
    using file = makeJournalFile(life.slice(0, 3))
    const tail = createJournalTail(file.path)
    tail.read()
    truncateSync(file.path, first?.length)
    expect(tail.read()).toEqual({events: life.slice(0, 1), isOther: true})
    writeFileSync(`${file.path}.new`, life.map(toLine).join(''))
    renameSync(`${file.path}.new`, file.path)
    expect(tail.read()).toEqual({events: life, isOther: true})
  })

  it('starts again when another file has the same inode and length', () => {
    using file = makeJournalFile(life.slice(0, 2))
    const tail = createJournalTail(file.path)
    tail.read()
    rmSync(file.path)
    writeFileSync(file.path, life.slice(0, 2).map(toLine).join(''))
    expect(tail.read()).toEqual({events: life.slice(0, 2), isOther: true})
  })

  it('reports a damaged line, and starts again after that', () => {
    using file = makeJournalFile(life.slice(0, 2))
    const tail = createJournalTail(file.path)
    tail.read()
    appendFileSync(file.path, 'not an event\n')
    expect(() => tail.read()).toThrow(expect.objectContaining({code: 'JOURNAL_DAMAGED', details: {path: file.path, line: 3}}))
    writeFileSync(file.path, life.map(toLine).join(''))
    expect(tail.read()).toEqual({events: life, isOther: true})
  })

  it('throws when there is no journal', () => {
    expect(() => createJournalTail('/nowhere/journal.jsonl').read()).toThrow(/ENOENT/)
  })
})

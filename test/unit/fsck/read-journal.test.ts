import {appendFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {readJournal} from '../../../src/fsck/read-journal.ts'
import {goldenJournals} from '../../replay/golden-journals.ts'
import {makeTempDir} from '../support/temp-dir.ts'

const golden = goldenJournals.find(({name}) => name === '0.4.0/republished')
const lines = golden?.lines ?? []

function read(text: string) {
  using dir = makeTempDir()
  const file = join(dir.path, 'journal.jsonl')
  writeFileSync(file, text)
  return readJournal(file)
}

describe('a journal as fsck reads it', () => {
  it.each(goldenJournals)('is whole: $name', ({path, lines: all, view}) => {
    expect(readJournal(path)).toMatchObject({
      type: 'whole',
      latestSequence: all.length,
      tornBytes: 0,
      state: Object(view).state,
      uid: Object(view).uid,
    })
  })

  it('has the bytes of an incomplete last line', () => {
    expect(read(`${lines.slice(0, 3).join('\n')}\n${lines[3]?.slice(0, 50)}`)).toMatchObject({
      type: 'whole',
      latestSequence: 3,
      tornBytes: 50,
    })
  })

  it('is damaged at a line that is not an event', () => {
    expect(read(`${lines.with(4, '{"specversion":#').join('\n')}\n`)).toMatchObject({
      type: 'damaged',
      line: 5,
      why: expect.stringMatching(/^is not an event of this ledger: /),
    })
  })

  it('is damaged at an event that does not follow', () => {
    expect(read(`${lines.toSpliced(2, 1).join('\n')}\n`)).toEqual({
      type: 'damaged',
      line: 3,
      why: 'expected sequence 3, got 4 (container.started)',
    })
    expect(read(`${lines.toSpliced(3, 0, lines[2] ?? '').join('\n')}\n`)).toMatchObject({type: 'damaged', line: 4})
  })

  it('is missing without a file or without an event', () => {
    using dir = makeTempDir()
    expect(readJournal(join(dir.path, 'journal.jsonl'))).toEqual({type: 'missing'})
    expect(read('')).toEqual({type: 'missing'})
    expect(read('{"specver')).toEqual({type: 'missing'})
  })

  it('is not changed by reading', () => {
    using dir = makeTempDir()
    const file = join(dir.path, 'journal.jsonl')
    writeFileSync(file, `${lines[0]}\n`)
    appendFileSync(file, 'half')
    expect(readJournal(file)).toEqual(readJournal(file))
  })
})

import {describe, expect, it} from 'vitest'
import {findingTable} from '../../../src/fsck/findings.ts'
import {readProjectFile, readRows, unquote} from './markdown.ts'

const text = readProjectFile('docs/fsck.md')

describe('docs/fsck.md', () => {
  it('has every finding with its meaning and its repair, and no other', () => {
    const documented = readRows(text, 'code', '`--repair`', 'meaning').map((row) => ({
      code: unquote(row['code'] ?? ''),
      repair: unquote(row['`--repair`'] ?? ''),
      meaning: row['meaning'],
    }))
    expect(documented).toEqual(Object.entries(findingTable).map(([code, rest]) => ({code, ...rest})))
  })

  it('says what each kind of repair does', () => {
    const kinds = readRows(text, '`--repair`', 'what it does').map((row) => unquote(row['`--repair`'] ?? ''))
    expect(kinds.sort()).toEqual([...new Set(Object.values(findingTable).map(({repair}) => repair))].sort())
  })

  it('names only findings that exist', () => {
    const named = [...text.matchAll(/\b[A-Z]{3,}(?:_[A-Z]+)+\b/g)].map(([code]) => code)
    expect(named.filter((code) => !Object.hasOwn(findingTable, code))).toEqual([])
  })
})

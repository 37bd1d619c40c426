import {describe, expect, it} from 'vitest'
import {renderCliMarkdown} from '../../../scripts/cli-markdown.ts'
import {verbNotes} from '../../../scripts/cli-notes.ts'
import {verbs} from '../../../src/cli/verbs.ts'
import {readProjectFile, readSections} from './markdown.ts'

describe('docs/cli.md', async () => {
  const text = readProjectFile('docs/cli.md')
  const rendered = await renderCliMarkdown()

  it('is current: `npm run docs:cli` writes it again', () => {
    expect(text).toBe(rendered)
  })

  it('has a section for every verb, in the order of the help', () => {
    const sections = [...readSections(text, 2).keys()].filter((title) => title.startsWith('tally '))
    expect(sections).toEqual(Object.keys(verbs).map((name) => `tally ${name}`))
  })

  it('has notes on verbs that exist', () => {
    expect(Object.keys(verbNotes).filter((name) => !(name in verbs))).toEqual([])
  })
})

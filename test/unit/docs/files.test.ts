import {existsSync, readdirSync, readFileSync} from 'node:fs'
import {describe, expect, it} from 'vitest'
import {readProjectFile, readSections, root} from './markdown.ts'

const records = readdirSync(new URL('docs/adr/', root)).sort()
const inDocs = readdirSync(new URL('docs/', root)).filter((name) => name.endsWith('.md'))
const documents = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...inDocs.map((name) => `docs/${name}`),
  ...records.map((name) => `docs/adr/${name}`),
]

/** Anchors as on GitHub; the second heading of the same name gets `-1`. */
function readAnchors(text: string): readonly string[] {
  const seen = new Map<string, number>()
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => {
    const anchor = heading
      .toLowerCase()
      .replace(/[^a-z0-9 _-]/g, '')
      .replaceAll(' ', '-')
    const count = seen.get(anchor) ?? 0
    seen.set(anchor, count + 1)
    return count === 0 ? anchor : `${anchor}-${count}`
  })
}

describe('docs/adr', () => {
  it('is numbered from 0001 without gaps', () => {
    const numbers = records.map((name) => /^(\d{4})-[a-z0-9]+(-[a-z0-9]+)*\.md$/.exec(name)?.[1])
    expect(numbers).toEqual(records.map((_, index) => String(index + 1).padStart(4, '0')))
    expect(numbers.length).toBeGreaterThanOrEqual(9)
  })

  it.each(records)('has a record with number, status, context, decision and consequences, and short: %s', (name) => {
    const text = readProjectFile(`docs/adr/${name}`)
    expect(text).toMatch(new RegExp(`^# ${name.slice(0, 4)}: \\S.*\n\nStatus: (accepted|superseded by \\d{4})\n`))
    expect([...readSections(text, 2).keys()]).toEqual(['Context', 'Decision', 'Consequences'])
    const count = text.trimEnd().split('\n').length
    expect(count).toBeGreaterThanOrEqual(15)
    expect(count).toBeLessThanOrEqual(30)
  })
})

describe('every document', () => {
  it.each(documents)('has no broken links: %s', (name) => {
    const text = readProjectFile(name)
    for (const [, path = '', anchor] of text.matchAll(/\]\(([^)#\s]*)(?:#([^)\s]+))?\)/g)) {
      const target = new URL(path || name.replace(/^.*\//, ''), new URL(name, root))
      expect(existsSync(target), `${path} exists`).toBe(true)
      if (anchor) expect(readAnchors(readFileSync(target, 'utf8')), path).toContain(anchor)
    }
  })

  it.each(documents)('names only source files that exist: %s', (name) => {
    const paths = [...readProjectFile(name).matchAll(/\b(?:src|machines|test)\/[\w./-]*\w/g)].map(([path]) => path)
    expect(paths.filter((path) => !existsSync(new URL(path, root)))).toEqual([])
  })
})

describe('docs/README.md', () => {
  it('links to every document', () => {
    const linked = [...readProjectFile('docs/README.md').matchAll(/\]\(([\w-]+\.md)\)/g)].map(([, name]) => name)
    expect([...linked].sort()).toEqual(inDocs.filter((name) => name !== 'README.md').sort())
  })
})

import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import packageJson from '../../../package.json' with {type: 'json'}

const root = join(import.meta.dirname, '../../..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

describe('the readme', () => {
  it('names every verb, and no other', () => {
    const verbs = [...read('src/cli/main.ts').matchAll(/^ {2}(\w+): async \(\) => \(await import/gm)].map(([, verb]) => verb)
    const table = readme.slice(readme.indexOf('## Commands'), readme.indexOf('Each has `--help`'))
    const named = [...table.matchAll(/`tally (\w+)/g)].map(([, verb]) => verb)
    expect(verbs.length).toBeGreaterThan(10)
    expect([...new Set(named)].sort()).toEqual([...verbs].sort())
  })

  it('names every option of the node with its variable', () => {
    const options = [...read('src/cli/node-options.ts').matchAll(/flags: '(--[\w-]+) .*?variable: '(TALLY_\w+)'/gs)]
    expect(options.length).toBeGreaterThan(8)
    for (const [, flag, variable] of options) {
      expect(readme).toContain(`\`${flag} `)
      expect(readme).toContain(`\`${variable}\``)
    }
  })

  it('names scripts that exist, and links that lead somewhere', () => {
    for (const [, script] of readme.matchAll(/npm (?:run )?(demo|test|check|build|setup)/g))
      expect(packageJson.scripts).toHaveProperty(script ?? '')
    for (const [, path] of readme.matchAll(/\]\(([^)#]+)/g)) expect(() => readFileSync(join(root, path ?? ''))).not.toThrow(/ENOENT/)
  })
})

import type {Command} from 'commander'
import {beforeAll, describe, expect, it} from 'vitest'
import packageJson from '../../../package.json' with {type: 'json'}
import {createProgram} from '../../../src/cli/program.ts'
import {verbs} from '../../../src/cli/verbs.ts'
import {readFences, readProjectFile} from './markdown.ts'

const documents = ['README.md', 'CONTRIBUTING.md', 'docs/chaos.md', 'docs/charts.md', 'docs/checkpoints.md', 'docs/http.md', 'docs/tls.md']
const program = createProgram()

beforeAll(async () => {
  for (const load of Object.values(verbs)) (await load())(program)
})

/** The words of each `tally …` in fenced code, without `npx` or `#` before it and a comment after it. */
function readInvocations(text: string): readonly (readonly string[])[] {
  const code = ['sh', 'console'].flatMap((language) => readFences(text.replaceAll('\\\n', ' '), language)).join('\n')
  const lines = code.split('\n').flatMap((line) => /^(?:# )?(?:npx )?tally (.*)$/.exec(line)?.[1] ?? [])
  return lines.map((line) => [...line.replace(/ +(#|\|) .*$/, '').matchAll(/'[^']*'|\S+/g)].map(([word]) => word))
}

/** The options of a verb in a document; what follows `--` belongs to the container. */
function readOptions(words: readonly string[]): readonly string[] {
  const end = words.indexOf('--')
  return (end < 0 ? words : words.slice(0, end)).filter((word) => /^--?[a-z]/i.test(word)).map((word) => word.replace(/=.*$/, ''))
}

function knows(command: Command | undefined, option: string): boolean {
  return [...(command?.options ?? []), ...program.options].some(({short, long}) => option === short || option === long)
}

describe.each(documents)('%s', (path) => {
  const text = readProjectFile(path)

  it('uses verbs that exist, with options that they have', () => {
    for (const [name = '', ...words] of readInvocations(text)) {
      const command = program.commands.find((candidate) => candidate.name() === name)
      expect(command, `tally ${name}`).toBeDefined()
      for (const option of readOptions(words)) expect(knows(command, option), `tally ${name} ${option}`).toBe(true)
    }
  })

  it('names scripts that exist', () => {
    for (const [, script] of text.matchAll(/npm (?:run )?(demo|test|check|build|setup|bench|[\w]+:[\w]+)\b/g))
      expect(packageJson.scripts).toHaveProperty(script ?? '')
  })
})

describe('README.md', () => {
  it('shows ten commands', () => {
    const [session = ''] = readFences(readProjectFile('README.md'), 'console')
    expect(readInvocations(`\`\`\`console\n${session}\`\`\`\n`)).toHaveLength(10)
  })

  it('names the file that npm pack writes', () => {
    expect(readProjectFile('README.md')).toContain(`./${packageJson.name}-${packageJson.version}.tgz`)
  })
})

describe('CHANGELOG.md', () => {
  it('has the version of the package', () => {
    expect(readProjectFile('CHANGELOG.md')).toContain(`\n## ${packageJson.version} (`)
  })
})

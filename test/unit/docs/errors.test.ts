import {describe, expect, it} from 'vitest'
import {exitCodes, toExitCode, toRunExitCode} from '../../../src/cli/exit-codes.ts'
import {errorKinds, errorTable, isErrorCode} from '../../../src/kernel/errors.ts'
import {readProjectFile, readRows, readSection, readSections, unquote} from './markdown.ts'

const text = readProjectFile('docs/errors.md')

describe('docs/errors.md', () => {
  it('has every code of the error table, in its order, with kind, number and meaning, and no other', () => {
    const documented = readRows(text, 'code', 'kind', 'number', 'meaning')
    const expected = Object.entries(errorTable).map(([code, {kind, meaning}]) => ({
      code: `\`${code}\``,
      kind: `\`${kind}\``,
      number: String(errorKinds[kind]),
      meaning,
    }))
    expect(documented).toEqual(expected)
  })

  it('has every kind with its number, and no other', () => {
    const documented = readRows(text, 'kind', 'number', 'what to do')
    expect(documented.map((row) => [unquote(row['kind'] ?? ''), Number(row['number'])])).toEqual(Object.entries(errorKinds))
    for (const row of documented) expect(row['what to do'], row['kind']).toMatch(/\w.*\.$/)
  })

  it('has details only for codes that exist', () => {
    const codes = readRows(text, 'code', 'details').map((row) => unquote(row['code'] ?? ''))
    expect(codes.length).toBeGreaterThan(0)
    expect(codes.filter((code) => !isErrorCode(code))).toEqual([])
  })

  it('has the exit statuses of the command line', () => {
    const section = readSection(text, 2, 'Exit status of the command line')
    expect(section).toContain(`with ${exitCodes.ok} when it did`)
    expect(section).toContain(`with ${toExitCode('INVALID_ARGUMENT')} for \`INVALID_ARGUMENT\``)
    expect(section).toContain(`with ${toExitCode('INTERNAL')} for every other code`)
    expect(section).toContain(`with ${toRunExitCode('COMMAND_NOT_FOUND')} for \`COMMAND_NOT_FOUND\``)
    expect(section).toContain(`${toRunExitCode('COMMAND_NOT_EXECUTABLE')} for \`COMMAND_NOT_EXECUTABLE\``)
    expect(section).toContain(`and ${toRunExitCode('INTERNAL')} for\nevery other code`)
  })
})

describe('the other documents', () => {
  it.each(['docs/commands.md', 'docs/events.md', 'docs/subjects.md'])('name only error codes that exist: %s', (path) => {
    const document = readProjectFile(path)
    const errors = [...document.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)].map(([, code = '']) => code)
    expect(errors.filter((code) => !isErrorCode(code) && code !== 'TALLY_EVENTS')).toEqual([])
  })

  it('list errors for every command', () => {
    const commands = [...readSections(readProjectFile('docs/commands.md'), 3)].filter(([, body]) => body.includes('- Subject:'))
    expect(commands.length).toBeGreaterThan(0)
    for (const [verb, body] of commands) expect(body, verb).toMatch(/^- Errors: (`[A-Z_]+`|none of its own)/m)
  })
})

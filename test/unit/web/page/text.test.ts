import {describe, expect, it} from 'vitest'
import {parseAnsi} from '../../../../src/web/page/model/ansi.ts'
import {createLineReader, type LogEntry} from '../../../../src/web/page/model/log-lines.ts'
import {splitCommand} from '../../../../src/web/page/terminal/split-command.ts'

describe('ANSI escapes', () => {
  it('become styles that last until they are reset', () => {
    const {pieces, style} = parseAnsi('a\x1b[1;31mb\x1b[22mc\x1b[39md\x1b[4me')
    expect(pieces).toEqual([
      {text: 'a', style: {}},
      {text: 'b', style: {bold: true, colour: 1}},
      {text: 'c', style: {colour: 1}},
      {text: 'd', style: {}},
      {text: 'e', style: {underline: true}},
    ])
    expect(parseAnsi('f', style).pieces).toEqual([{text: 'f', style: {underline: true}}])
    expect(parseAnsi('\x1b[0mg', style).pieces).toEqual([{text: 'g', style: {}}])
  })

  it.each([
    ['\x1b[38;5;9mx', {colour: 9}],
    ['\x1b[38;5;196mx', {colour: '#ff0000'}],
    ['\x1b[48;5;244mx', {background: '#808080'}],
    ['\x1b[38;2;1;2;300mx', {colour: '#0102ff'}],
    ['\x1b[97;104mx', {colour: 15, background: 12}],
    ['\x1b[mx', {}],
    ['\x1b[38mx', {}],
  ])('have %j for %j', (text, style) => {
    expect(parseAnsi(text).pieces).toEqual([{text: 'x', style}])
  })

  it('without a style are removed', () => {
    const {pieces} = parseAnsi('a\x1b[2Kb\x1b]0;title\x07c\x1b(Bd\x07\x00e\x1b7f\x1b')
    expect(pieces.map(({text}) => text).join('')).toBe('abcdef')
  })
})

describe('lines of a log', () => {
  const entry = (stream: 'stdout' | 'stderr', text: string | Uint8Array, time = '2026-01-02T03:04:05Z'): LogEntry => ({
    time,
    stream,
    data: Buffer.from(text).toString('base64'),
  })
  const texts = (entries: readonly LogEntry[]) =>
    createLineReader()([], entries).map(({stream, pieces}) => `${stream}: ${pieces.map(({text}) => text).join('')}`)

  it('are joined from parts, separately for each stream', () => {
    expect(texts([entry('stdout', 'one '), entry('stderr', 'two\n'), entry('stdout', 'three\n'), entry('stdout', 'four')])).toEqual([
      'stdout: one three',
      'stderr: two',
      'stdout: four',
    ])
  })

  it('decode a character that is split between two entries', () => {
    const bytes = Buffer.from('ü\n')
    expect(texts([entry('stdout', bytes.subarray(0, 1)), entry('stdout', bytes.subarray(1))])).toEqual(['stdout: ü'])
  })

  it('show the text after the last carriage return', () => {
    expect(texts([entry('stdout', '10 %\r50 %\r100 %\r\n')])).toEqual(['stdout: 100 %'])
  })

  it('are limited to the last four thousand', () => {
    const many = Array.from({length: 4_100}, (_, index) => entry('stdout', `${index}\n`))
    const lines = createLineReader()([], many)
    expect(lines).toHaveLength(4_000)
    expect(lines.at(-1)?.number).toBe(4_100)
  })
})

describe('a command line', () => {
  it.each([
    ['sh', ['sh']],
    ['  ls  -l ', ['ls', '-l']],
    [`sh -c 'echo "a b"; exit'`, ['sh', '-c', 'echo "a b"; exit']],
    ['echo "a \\"b\\"" c\\ d', ['echo', 'a "b"', 'c d']],
    [`echo '' ""`, ['echo', '', '']],
    ["a'b'c", ['abc']],
    ['', []],
  ])('%j is %j', (text, words) => {
    expect(splitCommand(text)).toEqual(words)
  })
})

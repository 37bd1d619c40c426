import {closeSync, openSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {type Line, readLines} from '../../../src/kernel/lines.ts'
import {makeTempDir} from '../support/temp-dir.ts'

function linesOf(content: Uint8Array, start: number, stop: number): readonly Line[] {
  using dir = makeTempDir()
  const path = join(dir.path, 'file')
  writeFileSync(path, content)
  const fd = openSync(path, 'r')
  try {
    return [...readLines(fd, start, stop)]
  } finally {
    closeSync(fd)
  }
}

/** A simple and slow implementation, for comparison. */
function expected(content: Uint8Array, start: number, stop: number): readonly Line[] {
  const lines: Line[] = []
  let bytes: number[] = []
  content.slice(start, stop).forEach((byte, index) => {
    if (byte !== 0x0a) bytes.push(byte)
    else {
      lines.push({bytes: Buffer.from(bytes), number: lines.length + 1, end: start + index + 1, complete: true})
      bytes = []
    }
  })
  if (bytes.length > 0)
    lines.push({bytes: Buffer.from(bytes), number: lines.length + 1, end: Math.min(stop, content.length), complete: false})
  return lines
}

const content = fc.oneof(
  fc.uint8Array({maxLength: 200}),
  fc.array(fc.constantFrom(0x0a, 0x0d, 0x00, 0x61), {maxLength: 60}).map((bytes) => Uint8Array.from(bytes)),
)

describe('the lines of a file', () => {
  it('are found between any two positions, whatever the bytes', () => {
    fc.assert(
      fc.property(content, fc.nat(220), fc.nat(220), (bytes, start, stop) => {
        expect(linesOf(bytes, start, stop)).toEqual(expected(bytes, start, stop))
      }),
    )
  })

  it.each([
    ['longer than a chunk', [200_000, 3, 70_000]],
    ['that end where a chunk ends', [65_535, 65_535, 1]],
    ['whose newline begins the next chunk', [65_536, 65_536]],
    ['that are empty', [0, 0, 0]],
  ])('can be %s', (_, sizes) => {
    const bytes = Buffer.from(sizes.map((size, index) => `${String.fromCharCode(97 + index).repeat(size)}\n`).join(''))
    const lines = linesOf(bytes, 0, bytes.length)
    expect(lines.map((line) => line.bytes.length)).toEqual(sizes)
    expect(lines.every(({complete}) => complete)).toBe(true)
    expect(lines.at(-1)?.end).toBe(bytes.length)
    for (const [index, line] of lines.entries()) expect(line.bytes.every((byte) => byte === 97 + index)).toBe(true)
  })

  it('keep their bytes while the next lines are read', () => {
    const bytes = Buffer.from(Array.from({length: 30_000}, (_, index) => `${index}\n`).join(''))
    expect(linesOf(bytes, 0, bytes.length).map((line) => Number(line.bytes.toString()))).toEqual(
      Array.from({length: 30_000}, (_, index) => index),
    )
  })

  it('end with the file when it is shorter than expected', () => {
    expect(linesOf(Buffer.from('a\nb'), 0, 1_000)).toEqual([
      {bytes: Buffer.from('a'), number: 1, end: 2, complete: true},
      {bytes: Buffer.from('b'), number: 2, end: 3, complete: false},
    ])
  })
})

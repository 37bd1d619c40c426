import {readFileSync} from 'node:fs'
import {describe, expect, it} from 'vitest'
import type {Shape} from '../../../src/shim/client/codec.ts'
import {messages, requests} from '../../../src/shim/client/frames.ts'

const text = readFileSync(new URL('../../../docs/shim.md', import.meta.url), 'utf8')
const rows = [...text.matchAll(/^\| (\d+) ([A-Z_]+) \|(.*)\|$/gm)].map(([, number, name, cells = '']) => [
  number,
  name,
  ...cells.split('|').map((cell) => cell.trim()),
])
const toName = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()
const toCell = (shape: Shape) =>
  Object.entries(shape)
    .map(([name, kind]) => `${name} ${kind}`)
    .join(', ')

describe('docs/shim.md', () => {
  it('has every frame, with its fields and those of its reply', () => {
    expect(rows).toEqual([
      ...Object.entries(requests).map(([name, {type, fields, reply}]) => [String(type), toName(name), toCell(fields), toCell(reply)]),
      ...Object.entries(messages).map(([name, {type, fields}]) => [String(type), toName(name), toCell(fields)]),
    ])
  })
})

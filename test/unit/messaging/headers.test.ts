import {globSync, readFileSync} from 'node:fs'
import {expect, it} from 'vitest'
import * as headers from '../../../src/messaging/headers.ts'

it('is the only file of src/ and machines/ that spells the name of a header', () => {
  const spelled = Object.values(headers).map((name) => `'${name}'`)
  const files = globSync(['src/**/*.{ts,tsx}', 'machines/**/*.ts']).filter((file) => {
    const text = readFileSync(file, 'utf8')
    return spelled.some((name) => text.includes(name))
  })
  expect(files).toEqual(['src/messaging/headers.ts'])
})

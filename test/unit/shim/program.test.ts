import {expect, test} from 'vitest'
import {shimProgram} from '../../../src/shim/client/program.ts'

test('the shim is the one for this processor, or another build that is named', () => {
  expect(shimProgram('/dist', {})).toBe(`/dist/${process.arch}/tally-shim`)
  expect(shimProgram('/dist', {TALLY_SHIM: ''})).toBe(`/dist/${process.arch}/tally-shim`)
  expect(shimProgram('/dist', {TALLY_SHIM: '/other'})).toBe('/other')
})

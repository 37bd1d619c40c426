import {expect, it} from 'vitest'
import {toScreen} from '../../../src/cli/ps-watch.ts'

const table = ['CONTAINER   STATUS', 'one         Up 1 second', 'two         Up 2 seconds', 'three       Up 3 seconds'].join('\n')
const known = {node: 'n1', count: 3, problem: undefined}

it('shows the whole table in a large window', () => {
  expect(toScreen(table, {...known, size: {columns: 80, rows: 24}})).toBe(`n1: 3 containers\n${table}`)
})

it('is cut to the window, and counts the rows that are left out', () => {
  const lines = toScreen(table, {...known, size: {columns: 10, rows: 4}}).split('\n')
  expect(lines).toEqual(['n1: 3 cont', 'CONTAINER ', 'one       ', '… and 2 mo'])
})

it('is not cut when it is printed, and shows the problem', () => {
  expect(toScreen(table, {...known, size: undefined, count: 1, problem: 'no coordinator answers'})).toBe(
    `n1: 1 container; no coordinator answers\n${table}\n`,
  )
})

import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {expect, it, onTestFinished} from 'vitest'
import {makeMemoryRoom} from '../../../src/linux/memory-room.ts'

/** Files as those of a group of v2; no kernel behind them takes anything back. */
function makeGroup(usedBytes: number) {
  const directory = mkdtempSync(join(tmpdir(), 'tally-group-'))
  onTestFinished(() => rmSync(directory, {recursive: true}))
  writeFileSync(join(directory, 'memory.current'), `${usedBytes}\n`)
  writeFileSync(join(directory, 'memory.high'), 'max\n')
  return {directory, high: () => readFileSync(join(directory, 'memory.high'), 'utf8').trim()}
}

it('what fits is left alone', () => {
  const {directory, high} = makeGroup(1_000)
  using room = makeMemoryRoom(['/nowhere', directory], 1_000)
  expect(room?.usedBytes).toBe(1_000)
  expect(high()).toBe('max')
})

it('what does not fit is asked back until it is known, and then let be', () => {
  const {directory, high} = makeGroup(2_000)
  const room = makeMemoryRoom([directory], 1_000)
  expect(room?.usedBytes).toBe(2_000)
  expect(high()).toBe('1000')
  room?.[Symbol.dispose]()
  expect(high()).toBe('max')
})

it('on v1 there is nothing to find out', () => {
  expect(makeMemoryRoom(['/nowhere'], 1_000)).toBeUndefined()
})

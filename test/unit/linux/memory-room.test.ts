import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {expect, it, onTestFinished} from 'vitest'
import {makeMemoryRoom} from '../../../src/linux/memory-room.ts'

/** Files like those of a v2 cgroup, without a kernel that reclaims memory. */
function makeGroup(usedBytes: number) {
  const directory = mkdtempSync(join(tmpdir(), 'tally-group-'))
  onTestFinished(() => rmSync(directory, {recursive: true}))
  writeFileSync(join(directory, 'memory.current'), `${usedBytes}\n`)
  writeFileSync(join(directory, 'memory.high'), 'max\n')
  return {directory, high: () => readFileSync(join(directory, 'memory.high'), 'utf8').trim()}
}

it('a limit above the usage is accepted without a change', () => {
  const {directory, high} = makeGroup(1_000)
  using room = makeMemoryRoom(['/nowhere', directory], 1_000)
  expect(room?.usedBytes).toBe(1_000)
  expect(high()).toBe('max')
})

it('a limit below the usage is tested by reclaiming memory, and then left unchanged', () => {
  const {directory, high} = makeGroup(2_000)
  const room = makeMemoryRoom([directory], 1_000)
  expect(room?.usedBytes).toBe(2_000)
  expect(high()).toBe('1000')
  room?.[Symbol.dispose]()
  expect(high()).toBe('max')
})

it('on v1 no test is needed', () => {
  expect(makeMemoryRoom(['/nowhere'], 1_000)).toBeUndefined()
})

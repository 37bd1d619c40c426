import {statSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {afterEach, beforeEach, expect, test} from 'vitest'
import {
  createInputRecord,
  type InputState,
  mostRecordedSessions,
  mostRecordedUncertain,
} from '../../../../src/supervisor/input/input-record.ts'
import {makeTempDir, type TempDir} from '../../../support/temp-dir.ts'

let dir: TempDir
beforeEach(() => {
  dir = makeTempDir()
})
afterEach(() => dir[Symbol.asyncDispose]())

test('the next supervisor reads what was written last', () => {
  const path = join(dir.path, 'input')
  const record = createInputRecord(path)
  expect(record.read()).toEqual({sessions: []})
  const first: InputState = {sessions: [['a client with a long name', 3]], attempt: {session: 'b', bytes: 7}}
  record.write(first)
  expect(createInputRecord(path).read()).toEqual(first)
  record.write({sessions: [['a', 4]]})
  expect(createInputRecord(path).read()).toEqual({sessions: [['a', 4]]})
})

test('the record is one page, however long the names of the sessions are', () => {
  const path = join(dir.path, 'input')
  const name = (index: number) => `${index}`.padEnd(128, '"')
  const most = Number.MAX_SAFE_INTEGER
  createInputRecord(path).write({
    sessions: Array.from({length: mostRecordedSessions}, (_, index) => [name(index), most]),
    attempt: {session: name(9), bytes: 65_536},
    uncertain: Array.from({length: mostRecordedUncertain}, (_, index) => ({session: name(index), from: most - 65_536, to: most})),
  })
  expect(statSync(path).size).toBe(4096)
})

test('a record that cannot be read counts as none, and one that cannot be written fails nobody', () => {
  const path = join(dir.path, 'input')
  writeFileSync(path, '{"sessions": [["a", -1]]}')
  expect(createInputRecord(path).read()).toEqual({sessions: []})
  const missing = createInputRecord(join(dir.path, 'missing', 'input'))
  missing.write({sessions: []})
  expect(missing.read()).toEqual({sessions: []})
})

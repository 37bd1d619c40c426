import {expect, it} from 'vitest'
import {environmentNames, toOwnEnvironment, toToolEnvironment} from '../../../src/kernel/environment.ts'
import {readProjectFile, readRows, readSection, unquote} from './markdown.ts'

const rows = readRows(
  readSection(readProjectFile('docs/environment.md'), 2, 'Environment'),
  'variable',
  'coordinator and supervisors',
  'runc and its hooks, nats-server, criu',
)

it('has every variable that processes of a node get, and no other', () => {
  const {fixed, ofEverybody, ofOurs} = environmentNames
  expect(rows.map((row) => unquote(row['variable'] ?? ''))).toEqual([...fixed, ...ofEverybody, ...ofOurs])
  const forTools = rows.filter((row) => row['runc and its hooks, nats-server, criu'] !== '')
  expect(forTools.map((row) => unquote(row['variable'] ?? ''))).toEqual([...fixed, ...ofEverybody])
})

it('matches what they get', () => {
  const caller = {PATH: '/bin', HOME: '/home/me', AWS_SECRET: 'x', http_proxy: 'y', NODE_OPTIONS: '--trace-gc', TALLY_PASSWORD: 'z'}
  expect(toToolEnvironment(caller)).toEqual({HOME: '/root', LANG: 'C.UTF-8', PATH: '/bin'})
  expect(toOwnEnvironment(caller)).toEqual({HOME: '/root', LANG: 'C.UTF-8', PATH: '/bin', NODE_OPTIONS: '--trace-gc'})
})

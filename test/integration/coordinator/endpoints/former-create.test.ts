import {mkdirSync} from 'node:fs'
import {dirname} from 'node:path'
import {expect, it} from 'vitest'
import {findFormerCreate} from '../../../../src/coordinator/endpoints/former-create.ts'
import {openFileJournal} from '../../../../src/journal/file-journal.ts'
import {toContainerLayout} from '../../../../src/layout/container-layout.ts'
import {happen, toHistory} from '../../../support/given.ts'
import {makeTempDir} from '../../../support/temp-dir.ts'

const name = {namespace: 'default', id: 'web'}
const origin = {actor: 'test', correlationId: 'c1', isRetry: true}
const clock = {sleep: async () => {}}

it('a create that was never begun is not waited for, and one that is never settled for a minute', async () => {
  await using dir = makeTempDir()
  const directories = {stateDir: dir.path, runDir: dir.path}
  expect(await findFormerCreate(directories, name, {origin, clock})).toBeUndefined()
  const {journal: path} = toContainerLayout(directories, name, '')
  mkdirSync(dirname(path), {recursive: true})
  using journal = openFileJournal(path)
  for (const event of toHistory([happen.createRequested])) journal.append(event)
  await expect(findFormerCreate(directories, name, {origin, clock})).rejects.toMatchObject({code: 'TIMED_OUT'})
  for (const event of toHistory([happen.created], 2)) journal.append(event)
  expect(await findFormerCreate(directories, name, {origin, clock})).toMatchObject({id: 'web', state: 'created'})
})

it('a create of another request, which has the id now, is not waited for', async () => {
  await using dir = makeTempDir()
  const directories = {stateDir: dir.path, runDir: dir.path}
  using journal = openFileJournal(toContainerLayout(directories, name, '').journal)
  for (const event of toHistory([happen.createRequested])) journal.append(event)
  const sleep = () => Promise.reject(new Error('waited'))
  expect(await findFormerCreate(directories, name, {origin: {...origin, correlationId: 'c2'}, clock: {sleep}})).toBeUndefined()
})

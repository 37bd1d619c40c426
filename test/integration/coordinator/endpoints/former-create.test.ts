import {existsSync, mkdirSync, rmSync} from 'node:fs'
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

it('a create that has failed is answered when its directory is gone, so that its id is free', async () => {
  await using dir = makeTempDir()
  const directories = {stateDir: dir.path, runDir: dir.path}
  const {journal: path, stateDir} = toContainerLayout(directories, name, '')
  using journal = openFileJournal(path)
  for (const event of toHistory([happen.createRequested, happen.createFailed, happen.deleteRequested, happen.deleted]))
    journal.append(event)
  let sleeps = 0
  const sleep = async () => {
    sleeps += 1
    if (sleeps === 3) rmSync(stateDir, {recursive: true})
  }
  await expect(findFormerCreate(directories, name, {origin, clock: {sleep}})).rejects.toMatchObject({code: 'RUNC_CREATE_FAILED'})
  expect(existsSync(stateDir)).toBe(false)
  expect(sleeps).toBe(3)
})

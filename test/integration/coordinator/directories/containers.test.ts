import {execFileSync} from 'node:child_process'
import {existsSync, writeFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {expect, it} from 'vitest'
import {findVacant, isJournalLocked, releaseContainer, reserveContainer} from '../../../../src/coordinator/directories/containers.ts'
import {openFileJournal} from '../../../../src/journal/file-journal.ts'
import {silentLogger} from '../../../../src/kernel/log.ts'
import {toContainerLayout} from '../../../../src/layout/container-layout.ts'
import {toHistory} from '../../../support/given.ts'
import {makeTempDir} from '../../../support/temp-dir.ts'
import {histories} from '../../../unit/support/histories.ts'

const name = {namespace: 'default', id: 'c1'}

function reserve(dir: string) {
  const directories = {stateDir: dir, runDir: dir}
  reserveContainer(directories, name)
  const {journal, stateDir} = toContainerLayout(directories, name, '')
  return {directories, journal, stateDir, find: () => findVacant(directories, name, silentLogger)}
}

it('an id is had by one at a time, and is free when it was given back', async () => {
  await using dir = makeTempDir()
  const {directories, stateDir} = reserve(dir.path)
  expect(() => reserveContainer(directories, name)).toThrow(expect.objectContaining({code: 'CONTAINER_EXISTS'}))
  writeFileSync(join(stateDir, 'leftover'), '')
  releaseContainer(directories, name)
  expect(existsSync(stateDir)).toBe(false)
  releaseContainer(directories, name)
  reserveContainer(directories, name)
})

it('is not released by a former owner', async () => {
  await using dir = makeTempDir()
  const directories = {stateDir: dir.path, runDir: dir.path}
  const before = reserveContainer(directories, name)
  releaseContainer(directories, name, before)
  const now = reserveContainer(directories, name)
  releaseContainer(directories, name, before)
  expect(() => reserveContainer(directories, name)).toThrow(expect.objectContaining({code: 'CONTAINER_EXISTS'}))
  releaseContainer(directories, name, now)
  reserveContainer(directories, name)
})

it('is free also when it is given back on a full disk', async () => {
  await using dir = makeTempDir()
  // Room for the directories, and for no journal.
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'nr_inodes=4', 'tally-test', dir.path])
  try {
    const {directories, journal, stateDir} = reserve(dir.path)
    expect(() => openFileJournal(journal)).toThrow(/ENOSPC/)
    releaseContainer(directories, name)
    expect(existsSync(stateDir)).toBe(false)
  } finally {
    execFileSync('umount', [dir.path])
  }
})

it('a reservation that was not used is removed', async () => {
  await using dir = makeTempDir()
  const {find, stateDir} = reserve(dir.path)
  expect(find()).toBeUndefined()
  expect(existsSync(stateDir)).toBe(false)
})

it('a supervisor that has yet to write its first event keeps its journal', async () => {
  await using dir = makeTempDir()
  const {directories, find, journal} = reserve(dir.path)
  {
    using _beginning = openFileJournal(journal)
    expect(isJournalLocked(journal)).toBe(true)
    expect(find()).toBeUndefined()
    releaseContainer(directories, name)
    expect(existsSync(journal)).toBe(true)
  }
  expect(find()).toBeUndefined()
  expect(existsSync(dirname(journal))).toBe(false)
})

it('a container that was begun is not released, and is an orphan when no process has its journal locked', async () => {
  await using dir = makeTempDir()
  const {directories, find, journal} = reserve(dir.path)
  const [first] = toHistory(histories.deleted)
  if (!first) throw new Error('a history without an event')
  {
    using beginning = openFileJournal(journal)
    beginning.append(first)
  }
  releaseContainer(directories, name)
  expect(find()).toEqual({...name, uid: first.uid})
})

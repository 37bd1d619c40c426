import {readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {expect, it} from 'vitest'
import {hasSleepNote, removeSleepNote, writeSleepNote} from '../../../src/layout/sleep-note.ts'
import {readBootId} from '../../../src/linux/process-table.ts'
import {given} from '../../support/given.ts'
import {histories} from '../../unit/support/histories.ts'
import {makeTempDir} from '../../support/temp-dir.ts'

const {ledger} = given(...histories.stopped)

it('a supervisor that fell asleep is told from one that died, or that the host has not survived', async () => {
  await using dir = makeTempDir()
  const layout = {runDir: dir.path}
  const note = join(dir.path, 'asleep')
  expect(hasSleepNote(layout, ledger)).toBe(false)
  writeSleepNote(layout, ledger)
  expect(hasSleepNote(layout, ledger)).toBe(true)
  expect(hasSleepNote(layout, given(...histories.stopped.slice(0, -1)).ledger)).toBe(false)
  // A run directory may survive a boot.
  expect(readFileSync(note, 'utf8')).toContain(readBootId())
  writeFileSync(note, readFileSync(note, 'utf8').replace(readBootId(), 'another-boot'))
  expect(hasSleepNote(layout, ledger)).toBe(false)
  removeSleepNote(layout)
  removeSleepNote(layout)
})

it('a directory that cannot be written costs a note, and nothing else', () => {
  const layout = {runDir: '/dev/null/none'}
  writeSleepNote(layout, ledger)
  expect(hasSleepNote(layout, ledger)).toBe(false)
})

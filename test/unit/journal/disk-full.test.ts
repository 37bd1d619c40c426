import {execFileSync} from 'node:child_process'
import {closeSync, constants, openSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import type {LedgerEvent} from '../../../machines/ledger/events.ts'
import {openFileJournal, readJournalFile} from '../../../src/journal/file-journal.ts'
import {toHistory} from '../../support/given.ts'
import {makeTempDir} from '../support/temp-dir.ts'

/**
 * A file system of two pages (4 KiB each) for one scope. It is detached at once and accessed through its descriptor, so that it disappears
 * even if the test is killed. Needs root.
 */
function mountSmallDisk() {
  using dir = makeTempDir()
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8k', 'tmpfs', dir.path])
  try {
    const fd = openSync(dir.path, constants.O_RDONLY | constants.O_DIRECTORY)
    return {path: `/proc/self/fd/${fd}`, [Symbol.dispose]: () => closeSync(fd)}
  } finally {
    execFileSync('umount', ['--lazy', dir.path])
  }
}

/** Uses one page until it is removed. */
function fillAPage(disk: string): string {
  const path = join(disk, 'filler')
  writeFileSync(path, Buffer.alloc(4096))
  return path
}

const [first, ...rest] = toHistory(
  Array.from({length: 40}, (_, index) => ({type: 'supervisor.adopted', data: {supervisorPid: index + 1, found: 'x'.repeat(100)}}) as const),
)

describe('on a full disk', () => {
  it('an append to the journal fails, writes nothing, and succeeds when there is space again', () => {
    using disk = mountSmallDisk()
    const filler = fillAPage(disk.path)
    const path = join(disk.path, 'journal.jsonl')
    using journal = openFileJournal(path)
    if (first) journal.append(first)
    const refused = rest.find((event) => !tryTo(() => journal.append(event)))
    if (!refused) throw new Error('the disk took everything')
    const size = readFileSync(path).length

    expect(size).toBeLessThan(4096)
    expect(readFileSync(path, 'utf8').endsWith('}\n')).toBe(true)
    expect(journal.latestSequence()).toBe(refused.sequence - 1)
    expect(() => journal.append(refused)).toThrow(
      expect.objectContaining({code: 'JOURNAL_WRITE_FAILED', kind: 'unavailable', message: expect.stringContaining('ENOSPC')}),
    )
    expect(readFileSync(path).length).toBe(size)
    expect(sequencesOf(journal.read())).toEqual(sequencesTo(refused.sequence - 1))

    rmSync(filler)
    journal.append(refused)
    expect(sequencesOf(readJournalFile(path))).toEqual(sequencesTo(refused.sequence))
    expect(sequencesOf(journal.read(refused.sequence - 1))).toEqual([refused.sequence])
  })
})

function tryTo(work: () => void): boolean {
  try {
    work()
    return true
  } catch {
    return false
  }
}

const sequencesOf = (events: Iterable<LedgerEvent>) => [...events].map(({sequence}) => sequence)
const sequencesTo = (last: number) => Array.from({length: last}, (_, index) => index + 1)

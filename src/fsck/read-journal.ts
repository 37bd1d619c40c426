/** A journal as it is on disk, also while a supervisor writes it: whole, damaged at a line, or missing. */
import {closeSync, constants, fstatSync, openSync, readSync} from 'node:fs'
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import {applyEvent, emptyLedger, LedgerError, toTopLevelState} from '../../machines/ledger/ledger.ts'
import {readJournalFile} from '../journal/file-journal.ts'
import {TallyError} from '../kernel/errors.ts'
import {isMissing} from '../kernel/files.ts'
import type {JournalReading} from './survey.ts'

/** @throws Error of the file system, except for a missing file */
export function readJournal(file: string): JournalReading {
  let ledger = emptyLedger
  let first: LedgerEvent | undefined
  try {
    for (const event of readJournalFile(file)) {
      first ??= event
      ;({ledger} = applyEvent(ledger, event))
    }
  } catch (error) {
    if (isMissing(error)) return {type: 'missing'}
    // One line for each event that was folded before it.
    if (error instanceof LedgerError) return {type: 'damaged', line: (ledger.latest?.sequence ?? 0) + 1, why: error.message}
    if (!(error instanceof TallyError) || error.code !== 'JOURNAL_DAMAGED') throw error
    const {line} = error.details
    return {
      type: 'damaged',
      line: typeof line === 'number' ? line : 0,
      why: error.message.slice(error.message.indexOf(' is not an event') + 1),
    }
  }
  const {latest, snapshot} = ledger
  if (!first || !latest) return {type: 'missing'}
  const {init, exited, terminal, request, unsupervised} = snapshot.context
  return {
    type: 'whole',
    uid: first.uid,
    source: first.source,
    latestSequence: latest.sequence,
    tornBytes: countTornBytes(file),
    state: toTopLevelState(ledger),
    init,
    hasEnded: exited !== undefined,
    isGivenUp: unsupervised === true,
    terminal,
    runtime: request?.runtime,
  }
}

const newline = 0x0a

function countTornBytes(file: string): number {
  const fd = openSync(file, constants.O_RDONLY)
  try {
    const {size} = fstatSync(fd)
    const byte = Buffer.alloc(1)
    for (let position = size; position > 0; position -= 1) {
      if (readSync(fd, byte, 0, 1, position - 1) === 1 && byte[0] === newline) return size - position
    }
    return size
  } finally {
    closeSync(fd)
  }
}

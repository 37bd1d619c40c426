/** Reads what was added to a journal that another process writes, without reading all of it again. */
import {closeSync, constants, fstatSync, openSync} from 'node:fs'
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import {toFileIdentity} from '../kernel/files.ts'
import {readLines} from '../kernel/lines.ts'
import {parseJournalLine} from './file-journal.ts'

export interface Added {
  readonly events: readonly LedgerEvent[]
  /** Whether they are not a continuation of the last read: it is another file, or it was cut. */
  readonly isOther: boolean
}

export interface JournalTail {
  /**
   * What was added since the last call; everything at first. A torn last line is passed over until it is whole. After an error
   * everything is read again.
   * @throws TallyError JOURNAL_DAMAGED; the error of open(2)
   */
  read(): Added
}

interface Place {
  readonly file: string
  readonly position: number
  readonly lines: number
}

export function createJournalTail(path: string): JournalTail {
  let place: Place | undefined
  return {
    read: () => {
      const former = place
      place = undefined
      const fd = openSync(path, constants.O_RDONLY)
      try {
        const {size} = fstatSync(fd)
        const file = toFileIdentity(fstatSync(fd, {bigint: true}))
        const isOther = former?.file !== file || size < former.position
        const start = isOther ? {position: 0, lines: 0} : former
        let {position, lines} = start
        const events: LedgerEvent[] = []
        for (const line of readLines(fd, start.position, size)) {
          if (!line.complete) break
          events.push(parseJournalLine(line.bytes, path, start.lines + line.number))
          position = line.end
          lines = start.lines + line.number
        }
        place = {file, position, lines}
        return {events, isOther}
      } finally {
        closeSync(fd)
      }
    },
  }
}

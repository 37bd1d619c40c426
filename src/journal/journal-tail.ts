/** What has been added to a journal that somebody else writes: a long one is not read whole for each event of it. */
import {closeSync, constants, fstatSync, openSync} from 'node:fs'
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import {toFileIdentity} from '../kernel/files.ts'
import {readLines} from '../kernel/lines.ts'
import {parseJournalLine} from './file-journal.ts'

export interface Added {
  readonly events: readonly LedgerEvent[]
  /** They are not behind those of the last time: it is another file, or it was cut. */
  readonly isAnew: boolean
}

export interface JournalTail {
  /**
   * What is new since the last time, or everything at first. A torn last line is passed over until it is whole. After an error it
   * is all read again.
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
        const isAnew = former?.file !== file || size < former.position
        const start = isAnew ? {position: 0, lines: 0} : former
        let {position, lines} = start
        const events: LedgerEvent[] = []
        for (const line of readLines(fd, start.position, size)) {
          if (!line.complete) break
          events.push(parseJournalLine(line.bytes, path, start.lines + line.number))
          position = line.end
          lines = start.lines + line.number
        }
        place = {file, position, lines}
        return {events, isAnew}
      } finally {
        closeSync(fd)
      }
    },
  }
}

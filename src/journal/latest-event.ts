/** The last event of a journal, read from its end: usually one read, however long the journal is. */
import {closeSync, constants, fstatSync, openSync, readSync} from 'node:fs'
import {isMissing} from '../kernel/files.ts'
import {parseLedgerEvent} from '../../machines/ledger/cloud-event.ts'
import type {LedgerEvent} from '../../machines/ledger/events.ts'

const firstBytes = 16 * 1024
const newline = 0x0a

/**
 * Another process may be writing the journal: a torn last line is passed over.
 * @returns undefined when it has no whole line, or does not exist
 * @throws when the line is not an event
 */
export function readLatestEvent(path: string): LedgerEvent | undefined {
  const fd = openExisting(path)
  if (fd === undefined) return undefined
  try {
    const {size} = fstatSync(fd)
    for (let wanted = firstBytes; ; wanted *= 4) {
      const line = toLastLine(readTail(fd, size, wanted), wanted >= size)
      if (line !== undefined) return line === '' ? undefined : parseLedgerEvent(line)
    }
  } finally {
    closeSync(fd)
  }
}

/** The last whole line; empty when there is none, undefined when it begins before these bytes. */
function toLastLine(bytes: Buffer, isAll: boolean): string | undefined {
  const end = bytes.lastIndexOf(newline)
  if (end === -1) return isAll ? '' : undefined
  const begin = end === 0 ? -1 : bytes.lastIndexOf(newline, end - 1)
  return begin === -1 && !isAll ? undefined : bytes.toString('utf8', begin + 1, end)
}

function readTail(fd: number, size: number, wanted: number): Buffer {
  const bytes = Buffer.alloc(Math.min(size, wanted))
  return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, size - bytes.length))
}

function openExisting(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

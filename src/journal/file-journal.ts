import {closeSync, constants, fdatasync, fstatSync, ftruncateSync, openSync, statSync, writeSync} from 'node:fs'
import {dirname} from 'node:path'
import {promisify} from 'node:util'
import {parseLedgerEvent, toCloudEvent} from '../../machines/ledger/cloud-event.ts'
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import {TallyError} from '../kernel/errors.ts'
import {makeWithin} from '../kernel/files.ts'
import {readLines} from '../kernel/lines.ts'
import {lockFile} from '../linux/file-lock.ts'
import type {Journal, JournalRepair} from './journal.ts'

export interface FileJournal extends Journal {
  readonly repair: JournalRepair
}

/**
 * Opens (or creates, 0600, with its directory) and locks the journal, and cuts a torn last line off.
 * @throws TallyError JOURNAL_LOCKED when another process writes it, JOURNAL_DAMAGED for a damaged line other than a torn last one.
 */
export function openFileJournal(path: string): FileJournal {
  const fd = openLocked(path)
  try {
    return createFileJournal(fd, path)
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** A process that checks whether a journal is locked holds the lock for an instant. */
const lockAttempts = 100
const lockPauseMs = 5

function openLocked(path: string): number {
  for (let attempt = 1; attempt <= lockAttempts; attempt += 1) {
    const fd = makeWithin(dirname(path), () => openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND, 0o600))
    // An unused reservation of the name may have been removed since it was opened.
    if (lockFile(fd) && isStillThere(fd, path)) return fd
    closeSync(fd)
    pause(lockPauseMs)
  }
  throw new TallyError('JOURNAL_LOCKED', `another supervisor holds the journal ${path}`, {details: {path}})
}

function isStillThere(fd: number, path: string): boolean {
  return statSync(path, {throwIfNoEntry: false})?.ino === fstatSync(fd).ino
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

/**
 * Reads a journal that another process may be writing: a torn last line is passed over, not cut off.
 * @throws TallyError JOURNAL_DAMAGED
 */
export function* readJournalFile(path: string): Generator<LedgerEvent> {
  const fd = openSync(path, constants.O_RDONLY)
  try {
    for (const line of readLines(fd, 0, fstatSync(fd).size)) if (line.complete) yield parseJournalLine(line.bytes, path, line.number)
  } finally {
    closeSync(fd)
  }
}

function createFileJournal(fd: number, path: string): FileJournal {
  /** Byte position after the event of each sequence: the index with which `read(after)` finds its start. */
  const ends: number[] = [0]
  let size = 0
  for (const line of readLines(fd, 0, fstatSync(fd).size)) {
    if (!line.complete) break
    const {sequence} = parseJournalLine(line.bytes, path, line.number)
    if (sequence !== ends.length) throw damaged(path, line.number, `expected sequence ${ends.length}, got ${sequence}`)
    size = line.end
    ends.push(size)
  }
  const tornBytes = fstatSync(fd).size - size
  if (tornBytes > 0) ftruncateSync(fd, size)

  return {
    repair: {tornBytes},
    append: (event) => {
      const line = Buffer.from(`${JSON.stringify(toCloudEvent(event))}\n`)
      try {
        writeFully(fd, line)
      } catch (cause) {
        // A partly written line must not precede the next one.
        ftruncateSync(fd, size)
        throw writeFailed(path, cause)
      }
      size += line.length
      ends.push(size)
    },
    sync: async () => {
      try {
        await promisify(fdatasync)(fd)
      } catch (cause) {
        throw writeFailed(path, cause)
      }
    },
    latestSequence: () => ends.length - 1,
    *read(after = 0) {
      let number = after
      for (const line of readLines(fd, ends[after] ?? size, size)) {
        number += 1
        yield parseJournalLine(line.bytes, path, number)
      }
    },
    [Symbol.dispose]: () => closeSync(fd),
  }
}

/** write(2) may write less than it was given, on a disk that is just filling up. */
function writeFully(fd: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written)
}

/** @throws TallyError JOURNAL_DAMAGED */
export function parseJournalLine(bytes: Buffer, path: string, number: number): LedgerEvent {
  try {
    return parseLedgerEvent(bytes.toString('utf8'))
  } catch (cause) {
    throw damaged(path, number, cause instanceof Error ? cause.message : String(cause), cause)
  }
}

function damaged(path: string, line: number, why: string, cause?: unknown): TallyError {
  return new TallyError('JOURNAL_DAMAGED', `${path}:${line} is not an event of this ledger: ${why}`, {details: {path, line}, cause})
}

function writeFailed(path: string, cause: unknown): TallyError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new TallyError('JOURNAL_WRITE_FAILED', `cannot write the journal ${path}: ${why}`, {details: {path}, cause})
}

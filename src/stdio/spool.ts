/**
 * What has left a pipe and may not be in the log yet. In this file each byte of the stream is at the position of its offset, so that the next
 * supervisor finds out, by the number of bytes in the log, which of them are missing there. The file stays small: it is emptied once all of
 * it is in the log, and later bytes come after a hole.
 */
import {closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, rmSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {makeFifo} from '../linux/fifo.ts'
import {spliceToFile} from '../linux/splice.ts'
import type {StreamName} from './streams.ts'

export interface Spool extends Disposable {
  /** Offset after its last byte; not above that of the log when all of it is there. */
  readonly end: number
  /** Moves what is in the pipe to that offset. @returns how many bytes; 0 when the pipe is empty. @throws SystemCallError ENOSPC */
  take(pipe: number, offset: number, limitBytes: number): number
  read(offset: number, count: number): Buffer
  /** Empties it, once all of it is in the log. */
  clear(): void
}

/** Beside the log: they share a disk, and run out of room together. */
export function toSpoolPath(logFile: string, stream: StreamName): string {
  return join(dirname(logFile), `${stream}.spool`)
}

/** With a new FIFO, an existing spool was left by an earlier boot of the host: its content is not reliable. */
export function makeSpooledFifo(path: string, spool: string): void {
  if (makeFifo(path, 0o600)) rmSync(spool, {force: true})
}

export function removeSpools(logFile: string): void {
  for (const stream of ['stdout', 'stderr'] as const) rmSync(toSpoolPath(logFile, stream), {force: true})
}

export function openSpool(path: string): Spool {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600)
  let end = fstatSync(fd).size

  return {
    get end() {
      return end
    },
    take: (pipe, offset, limitBytes) => {
      const count = spliceToFile(pipe, fd, offset, limitBytes)
      if (count > 0) end = offset + count
      return count
    },
    read: (offset, count) => {
      const bytes = Buffer.allocUnsafe(count)
      return bytes.subarray(0, readSync(fd, bytes, 0, count, offset))
    },
    clear: () => {
      if (end === 0) return
      ftruncateSync(fd, 0)
      end = 0
    },
    [Symbol.dispose]: () => closeSync(fd),
  }
}

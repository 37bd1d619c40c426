/**
 * What has left a pipe and may not be in the log yet: a file in which a byte of the stream has its offset for its position, so that
 * whoever opens it next knows by the log's own count what of it is missing there. It has no length worth mentioning: what is in the
 * log is cut off, and what comes later begins behind a hole.
 */
import {closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, rmSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {makeFifo} from '../linux/fifo.ts'
import {spliceToFile} from '../linux/splice.ts'
import type {StreamName} from './streams.ts'

export interface Spool extends Disposable {
  /** Offset behind the last byte that ever came into it and may not be in the log; lower than that of the log when all is. */
  readonly end: number
  /** Moves what waits in the pipe to that offset. @returns how much; 0 when it is empty. @throws SystemCallError ENOSPC */
  take(pipe: number, offset: number, limitBytes: number): number
  read(offset: number, count: number): Buffer
  /** All of it is in the log. */
  clear(): void
}

/** Beside the log: where that has room, this has. */
export function toSpoolPath(logFile: string, stream: StreamName): string {
  return join(dirname(logFile), `${stream}.spool`)
}

/** With a FIFO that is new, what there is of a spool was left by another boot of the host, and may be anything. */
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

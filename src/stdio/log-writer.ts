import {closeSync, constants, fstatSync, ftruncateSync, openSync, writeSync} from 'node:fs'
import {readLines} from '../kernel/lines.ts'
import type {OutputChunk, StreamName} from './container-stdio.ts'
import {countBytes, encodeChunk, parseLine} from './cri-log.ts'
import {listSegments, rotate, settle} from './log-segments.ts'

/** The log of one container, as the one who appends to it has it. */
export interface LogWriter extends Disposable {
  /** Bytes of each stream since create, those included whose file has been dropped. */
  readonly totals: Readonly<Record<StreamName, number>>
  /**
   * Appends a chunk, all of it or nothing.
   * @returns why the disk would not take it; undefined when it is written
   */
  append(chunk: Omit<OutputChunk, 'offset'>): unknown
}

/** A file that would grow beyond `maxBytes` is set aside for another; of all, the last `maxFiles` are kept. */
export interface LogRotation {
  readonly maxBytes: number
  readonly maxFiles: number
}

interface LogFile {
  readonly fd: number
  /** Bytes of log before it. */
  readonly position: number
  readonly size: number
}

/** Opens the log, makes it (0600) when missing, counts what is in it, and cuts off a line that a crash has left torn. */
export function openLogWriter(path: string, rotation?: LogRotation): LogWriter {
  settle(path, rotation?.maxFiles ?? Number.POSITIVE_INFINITY)
  const totals = {stdout: 0, stderr: 0}
  let file = openFile()

  return {
    totals,
    append: (chunk) => {
      const lines = encodeChunk(chunk)
      if (rotation && file.size > 0 && file.size + lines.length > rotation.maxBytes) beginNext(rotation)
      try {
        for (let written = 0; written < lines.length; ) written += writeSync(file.fd, lines, written)
      } catch (error) {
        // What was written of it must not stand before the next try, which writes the very same lines.
        ftruncateSync(file.fd, file.size)
        return error
      }
      file = {...file, size: file.size + lines.length}
      totals[chunk.stream] += chunk.bytes.length
      return undefined
    },
    [Symbol.dispose]: () => closeSync(file.fd),
  }

  function beginNext({maxFiles}: LogRotation): void {
    try {
      rotate(path, maxFiles, {position: file.position + file.size, ...totals})
    } catch {
      // A full disk: this file grows beyond its size, and the next chunk tries again.
      return
    }
    closeSync(file.fd)
    file = openFile()
  }

  function openFile(): LogFile {
    const {position, ...before} = listSegments(path).at(-1)?.begin ?? {position: 0, stdout: 0, stderr: 0}
    const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND, 0o600)
    Object.assign(totals, {stdout: before.stdout, stderr: before.stderr})
    let size = 0
    for (const line of readLines(fd, 0, fstatSync(fd).size)) {
      if (!line.complete) break
      size = line.end
      const parts = parseLine(line.bytes)
      if (parts) totals[parts.stream] += countBytes(line.bytes, parts)
    }
    ftruncateSync(fd, size)
    return {fd, position, size}
  }
}

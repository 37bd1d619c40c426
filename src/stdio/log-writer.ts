import {closeSync, constants, fstatSync, ftruncateSync, openSync, writeSync} from 'node:fs'
import {readLines} from '../kernel/lines.ts'
import type {OutputChunk, StreamName} from './container-stdio.ts'
import {countBytes, encodeChunk, parseLine} from './cri-log.ts'

/** The log of one container, as the one who appends to it has it. */
export interface LogWriter extends Disposable {
  /** Bytes of each stream in it. */
  readonly totals: Readonly<Record<StreamName, number>>
  /**
   * Appends a chunk, all of it or nothing.
   * @returns why the disk would not take it; undefined when it is written
   */
  append(chunk: Omit<OutputChunk, 'offset'>): unknown
}

/** Opens the log, makes it (0600) when missing, counts what is in it, and cuts off a line that a crash has left torn. */
export function openLogWriter(path: string): LogWriter {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND, 0o600)
  const totals = {stdout: 0, stderr: 0}
  let size = 0
  for (const line of readLines(fd, 0, fstatSync(fd).size)) {
    if (!line.complete) break
    size = line.end
    const parts = parseLine(line.bytes)
    if (parts) totals[parts.stream] += countBytes(line.bytes, parts)
  }
  ftruncateSync(fd, size)

  return {
    totals,
    append: (chunk) => {
      const lines = encodeChunk(chunk)
      try {
        for (let written = 0; written < lines.length; ) written += writeSync(fd, lines, written)
      } catch (error) {
        // What was written of it must not stand before the next try, which writes the very same lines.
        ftruncateSync(fd, size)
        return error
      }
      size += lines.length
      totals[chunk.stream] += chunk.bytes.length
      return undefined
    },
    [Symbol.dispose]: () => closeSync(fd),
  }
}

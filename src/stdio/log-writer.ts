import {closeSync, constants, fstatSync, ftruncateSync, openSync, writeSync} from 'node:fs'
import {TallyError} from '../kernel/errors.ts'
import {readLines} from '../kernel/lines.ts'
import {leavesRoom} from '../kernel/room.ts'
import type {OutputChunk, StreamName} from './streams.ts'
import {countBytes, encodeChunk, parseLine, textAt} from './cri-log.ts'
import {divideLines, type LogPart} from './log-parts.ts'
import {listSegments, rotate, settle} from './log-segments.ts'

/** The log of one container, as the one who appends to it has it. */
export interface LogWriter extends Disposable {
  /** Bytes of each stream since create, those included whose file has been dropped. */
  readonly totals: Readonly<Record<StreamName, number>>
  /** Bytes of log since create. */
  readonly position: number
  /**
   * Appends a chunk: as much of it as the disk takes, in whole lines. `totals` say how much that is.
   * @returns why the disk would not take the rest; undefined when all of it is written
   */
  append(chunk: Omit<OutputChunk, 'offset'>): unknown
  /** Whether a chunk of so many bytes can be appended without dropping what is wanted. */
  hasRoom(bytes: number): boolean
}

/** A line that would make a file larger than `maxBytes` begins another; of all, the last `maxFiles` are kept. See log-parts.ts. */
export interface LogRotation {
  readonly maxBytes: number
  readonly maxFiles: number
  /** For whom nothing is dropped: the writer is asked first whether there is room. */
  readonly wanted?: Wanted
}

/** The offsets from which on somebody cannot do without the output; undefined when nobody says so. */
export type Wanted = () => Readonly<Record<StreamName, number>> | undefined

interface LogFile {
  readonly fd: number
  /** Bytes of log before it. */
  readonly position: number
  readonly size: number
}

const newline = 0x0a
/** A byte of output takes no more of the log than an empty line does. */
const mostPerByte = 48

/** Opens the log, makes it (0600) when missing, counts what is in it, and cuts off a line that a crash has left torn. */
export function openLogWriter(path: string, rotation?: LogRotation): LogWriter {
  settle(path, rotation?.maxFiles ?? Number.POSITIVE_INFINITY)
  const totals = {stdout: 0, stderr: 0}
  /** Whether the last line of a stream is a part, whose rest is to come. */
  const inLine = {stdout: false, stderr: false}
  let file = openFile()

  return {
    totals,
    get position() {
      return file.position + file.size
    },
    append: ({stream, atMs, bytes}) => {
      const lines = encodeChunk({stream, atMs, bytes})
      if (rotation && file.size + lines.length > rotation.maxBytes)
        return appendToSeveral(stream, divide(stream, lines, rotation), rotation)
      return write(stream, {lines, bytes: bytes.length, inLine: bytes.at(-1) !== newline})
    },
    hasRoom: (bytes) => {
      const wanted = rotation?.wanted?.()
      if (!rotation || !wanted || file.size + bytes * mostPerByte <= rotation.maxBytes) return true
      const segments = listSegments(path)
      if (segments.length < rotation.maxFiles) return true
      // The one that is the eldest when another has been begun.
      const {begin} = segments[segments.length - rotation.maxFiles + 1] ?? {begin: {...totals}}
      return wanted.stdout >= begin.stdout && wanted.stderr >= begin.stderr
    },
    [Symbol.dispose]: () => closeSync(file.fd),
  }

  function divide(stream: StreamName, lines: Buffer, {maxBytes}: LogRotation): readonly LogPart[] {
    const otherInLine = inLine[stream === 'stdout' ? 'stderr' : 'stdout']
    return divideLines(lines, textAt(lines), {size: file.size, inLine: inLine[stream], otherInLine}, maxBytes)
  }

  function appendToSeveral(stream: StreamName, parts: readonly LogPart[], {maxFiles}: LogRotation): unknown {
    // Of more than may be kept, the first would be dropped before this returns: they are passed over.
    const unkept = parts.slice(0, Math.max(0, parts.length - maxFiles))
    const isPassedOver = unkept.length > 0 && beginNext(1, stream, unkept)
    for (const [index, part] of (isPassedOver ? parts.slice(unkept.length) : parts).entries()) {
      if (index > 0) beginNext(maxFiles)
      const why = write(stream, part)
      if (why !== undefined) return why
    }
    return undefined
  }

  /** @returns why the disk would not take all of it */
  function write(stream: StreamName, part: LogPart): unknown {
    if (!leavesRoom(path)) return new TallyError('HOST_EXHAUSTED', `no room for output on the disk of ${path}`)
    const {written, why} = writeAll(file.fd, part.lines)
    const {lines, bytes, inLine: isInLine} = why === undefined ? part : toWholeLines(part.lines, written)
    // What was written of the next line must not stand before the next try, which writes the very same line.
    if (why !== undefined) ftruncateSync(file.fd, file.size + lines.length)
    file = {...file, size: file.size + lines.length}
    totals[stream] += bytes
    if (lines.length > 0) inLine[stream] = isInLine
    return why
  }

  /**
   * @param unwritten what is counted as if it had been written before
   * @returns false when the disk is full: this file grows beyond its size, and the next chunk tries again
   */
  function beginNext(maxFiles: number, stream: StreamName = 'stdout', unwritten: readonly LogPart[] = []): boolean {
    const passedOver = (count: (part: LogPart) => number) => unwritten.reduce((sum, part) => sum + count(part), 0)
    const position = file.position + file.size + passedOver(({lines}) => lines.length)
    const begin = {position, ...totals, [stream]: totals[stream] + passedOver(({bytes}) => bytes)}
    try {
      rotate(path, maxFiles, begin)
    } catch {
      return false
    }
    closeSync(file.fd)
    file = openFile()
    return true
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
      if (!parts) continue
      totals[parts.stream] += countBytes(line.bytes, parts)
      inLine[parts.stream] = !parts.isFull
    }
    ftruncateSync(fd, size)
    return {fd, position, size}
  }
}

/** @returns how much the disk has taken, and why no more */
function writeAll(fd: number, bytes: Buffer): {readonly written: number; readonly why?: unknown} {
  let written = 0
  try {
    while (written < bytes.length) written += writeSync(fd, bytes, written)
    return {written}
  } catch (why) {
    return {written, why}
  }
}

/** Those of the lines that are within the first so many bytes. */
function toWholeLines(lines: Buffer, limitBytes: number): LogPart {
  const whole = lines.subarray(0, limitBytes === 0 ? 0 : lines.lastIndexOf(newline, limitBytes - 1) + 1)
  let bytes = 0
  let inLine = false
  for (let from = 0; from < whole.length; ) {
    const end = whole.indexOf(newline, from) + 1
    const line = whole.subarray(from, end - 1)
    const parts = parseLine(line)
    if (parts) bytes += countBytes(line, parts)
    inLine = parts?.isFull === false
    from = end
  }
  return {lines: whole, bytes, inLine}
}

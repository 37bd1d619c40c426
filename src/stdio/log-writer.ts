/** Appending to the log of one container, over its files: see docs/log-format.md. */
import {closeSync, constants, fstatSync, ftruncateSync, openSync} from 'node:fs'
import {TallyError} from '../kernel/errors.ts'
import {readLines} from '../kernel/lines.ts'
import {leavesRoom} from '../kernel/room.ts'
import type {OutputChunk, StreamName} from './streams.ts'
import {appendLines} from './append-lines.ts'
import {countBytes, encodeChunk, parseLine, textAt} from './cri-log.ts'
import {divideLines, type LogPart} from './log-parts.ts'
import {dropOldest, listSegments, type Place, rotate, settle} from './log-segments.ts'

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
  /** Whether a chunk of so many bytes can be appended without dropping what a reader needs. */
  hasRoom(bytes: number): boolean
}

/** A line that would make a file larger than `maxBytes` begins another; the last `maxFiles` are kept. See log-parts.ts. */
export interface LogRotation {
  readonly maxBytes: number
  readonly maxFiles: number
  /** What may not be dropped. Call `hasRoom` before `append`. */
  readonly wanted?: Wanted
}

/** The offsets from which on a reader needs the output; undefined when none does. */
export type Wanted = () => Readonly<Record<StreamName, number>> | undefined

interface LogFile {
  readonly fd: number
  /** The position at which it begins. */
  readonly position: number
  readonly size: number
}

const newline = 0x0a
/** Bytes of log for a byte of output: at most those of an empty line. */
const mostPerByte = 48

/** Opens the log, or makes it (0600), counts what is in it, and cuts off a torn last line, which a crash has left. */
export function openLogWriter(path: string, rotation?: LogRotation): LogWriter {
  settle(path, rotation?.maxFiles ?? Number.POSITIVE_INFINITY)
  const totals = {stdout: 0, stderr: 0}
  /** Whether the last line of a stream is incomplete. */
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
      if (!rotation?.wanted || file.size + bytes * mostPerByte <= rotation.maxBytes) return true
      const segments = listSegments(path)
      if (segments.length < rotation.maxFiles) return true
      // The one that is the oldest when another has been begun.
      return isUnneeded(segments[segments.length - rotation.maxFiles + 1]?.begin ?? totals)
    },
    [Symbol.dispose]: () => closeSync(file.fd),
  }

  function divide(stream: StreamName, lines: Buffer, {maxBytes}: LogRotation): readonly LogPart[] {
    const otherInLine = inLine[stream === 'stdout' ? 'stderr' : 'stdout']
    return divideLines(lines, textAt(lines), {size: file.size, inLine: inLine[stream], otherInLine}, maxBytes)
  }

  function appendToSeveral(stream: StreamName, parts: readonly LogPart[], {maxFiles}: LogRotation): unknown {
    // Of more parts than files are kept, the first would be dropped before this returns: they are passed over.
    const passedOver = parts.slice(0, Math.max(0, parts.length - maxFiles))
    const isPassedOver = passedOver.length > 0 && beginNext(1, stream, passedOver)
    for (const [index, part] of (isPassedOver ? parts.slice(passedOver.length) : parts).entries()) {
      if (index > 0) beginNext(maxFiles)
      const why = write(stream, part)
      if (why !== undefined) return why
    }
    return undefined
  }

  /** @returns why the disk would not take all of it */
  function write(stream: StreamName, part: LogPart): unknown {
    while (!leavesRoom(path)) if (!makeRoom()) return new TallyError('HOST_EXHAUSTED', `no room for output on the disk of ${path}`)
    const {written, rest, why} = appendLines(file.fd, file.size, part)
    file = {...file, size: file.size + written.lines.length}
    totals[stream] += written.bytes
    if (written.lines.length > 0) inLine[stream] = written.inLine
    return why !== undefined && isDiskFull(why) && makeRoom() ? write(stream, rest) : why
  }

  /** Drops the oldest file of a rotated log, if there are several, and no reader needs it. */
  function makeRoom(): boolean {
    const [, second] = rotation ? listSegments(path) : []
    if (!second || !isUnneeded(second.begin)) return false
    dropOldest(path)
    return true
  }

  /** Whether no reader needs what comes before this place. */
  function isUnneeded(begin: Omit<Place, 'position'>): boolean {
    const wanted = rotation?.wanted?.()
    return !wanted || (wanted.stdout >= begin.stdout && wanted.stderr >= begin.stderr)
  }

  /**
   * @param unwritten counted as if it had been written before
   * @returns false when the disk is full: the present file grows beyond its limit, and the next chunk tries again
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

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
}

/**
 * From a FIFO, or from a terminal by way of one, through a spool into the log, and told to whoever listens. MUST hold: no byte is lost or doubled, wherever this process
 * is killed; achieved by the kernel's moving bytes from the pipe into the spool, and by the log's count, which says what of the spool
 * is in it. While the disk does not take them, or a reader has to get what would be dropped for them, nothing more is taken from the
 * pipe, so that it fills and the process waits.
 */
import {closeSync, constants, openSync, readSync} from 'node:fs'
import {setImmediate as nextTurn, setTimeout as sleep} from 'node:timers/promises'
import {TallyError} from '../kernel/errors.ts'
import {bytesInPipe} from '../linux/pipe.ts'
import {watchPipe} from '../linux/pipe-watch.ts'
import type {OutputChunk, StreamName} from './streams.ts'
import type {LogWriter} from './log-writer.ts'
import {openSpool} from './spool.ts'

export interface PipeReader {
  /**
   * Reads what there is now, for as long as the disk takes to have room for it, and then no more. Idempotent.
   * @throws TallyError STDIO_FAILED when it is closed before that
   */
  drain(): Promise<void>
  /** Goes on reading, for whoever writes still, and forgets what it reads. Instead of `close`. */
  discard(): void
  close(): void
}

/** What does not write into the pipe by itself. */
export interface Upstream {
  /** Non-blocking; the caller's to close. */
  readonly fd: number
  /** Moves what there is into the pipe, which is empty. @returns how much */
  moveTo(pipe: number, limitBytes: number): number
}

export interface PipeReaderOptions {
  readonly stream: StreamName
  /** The FIFO. */
  readonly path: string
  readonly upstream?: Upstream
  readonly spool: string
  readonly log: LogWriter
  readonly now: () => number
  readonly onOutput: (chunk: OutputChunk) => void
  /** Whether somebody waits for what this process does besides: then it reads less. */
  readonly isUrgent?: (() => boolean) | undefined
}

const pieceBytes = 64 * 1024
const leastPieceBytes = 4 * 1024
/** So much of log, a few milliseconds of work: then others have their turn. Short lines are many times as long in the log. */
const turnBytes = 256 * 1024
const mostPiecesAtOnce = 16
/** Between two turns, while something is urgent, or what is read is of no use. */
const pauseMs = 20
/** How long a full disk is waited for, between tries. */
const retryMs = 250
/** How long a reader is waited for, between looks: doubled each time, up to that of the disk. */
const firstLookMs = 5

type State =
  | {readonly type: 'reading'}
  /** The disk would not take it. */
  | {readonly type: 'blocked'; readonly why: unknown}
  /** Somebody has to read first: asked again, less and less often. */
  | {readonly type: 'waiting'}
  /** Nobody wants it any more, but somebody writes it. */
  | {readonly type: 'discarding'}
  | {readonly type: 'closed'; readonly unwritten: number; readonly why: unknown}

export function openPipeReader({stream, path, upstream, spool: spoolFile, log, now, onOutput, isUrgent}: PipeReaderOptions): PipeReader {
  // Read-write, so that there is never an end of file while a container may still write.
  const keep = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  const pipe = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const spool = openSpool(spoolFile)
  let state: State = {type: 'reading'}
  let draining: Promise<void> | undefined
  let looks = 0
  let isScheduled = false
  /** How long the last piece became in the log, for each of its bytes. */
  let growth = turnBytes / leastPieceBytes
  const watch = watchPipe(upstream?.fd ?? pipe, readSoon)
  // What waits already.
  readSoon()

  return {
    drain: () => {
      draining ??= drain()
      return draining
    },
    discard: () => {
      state = {type: 'discarding'}
      readSoon()
    },
    close: () => {
      if (state.type === 'closed') return
      state = {
        type: 'closed',
        unwritten: Math.max(0, spool.end - log.totals[stream]),
        why: state.type === 'blocked' ? state.why : undefined,
      }
      watch[Symbol.dispose]()
      spool[Symbol.dispose]()
      for (const fd of [pipe, keep]) closeSync(fd)
    },
  }

  async function drain(): Promise<void> {
    // What comes later is of whoever was left behind, and may come for ever.
    let left =
      state.type === 'closed' || upstream ? Number.POSITIVE_INFINITY : bytesInPipe(pipe) + Math.max(0, spool.end - log.totals[stream])
    for (let isEmpty = false; !isEmpty && left > 0 && state.type !== 'discarding'; ) {
      const before = log.totals[stream]
      isEmpty = !readTurn() && !isHeldUp()
      left -= log.totals[stream] - before
      await (isHeldUp() ? sleep(state.type === 'waiting' ? firstLookMs : retryMs) : nextTurn())
    }
    if (state.type === 'closed' && state.why !== undefined) {
      const {unwritten, why: cause} = state
      throw new TallyError('STDIO_FAILED', `the log could not be written: ${unwritten} bytes of ${stream} were given up`, {cause})
    }
  }

  function isHeldUp(): boolean {
    return state.type === 'blocked' || state.type === 'waiting'
  }

  /** Until nothing is there, or others have to have their turn. */
  function readOn(): void {
    isScheduled = false
    if (draining && state.type !== 'discarding') return
    const before = log.position
    const isMore = readTurn()
    const isFlood = state.type === 'discarding' ? isMore : log.position - before >= pieceBytes && isUrgent?.()
    if (isFlood) readSoon(pauseMs)
    else if (isMore) readSoon()
    else waitForMore()
  }

  /** @returns whether there may be more */
  function readTurn(): boolean {
    const end = log.position + turnBytes
    for (let pieces = 0; pieces < mostPiecesAtOnce && log.position < end; pieces += 1) if (!readPiece()) return false
    return true
  }

  function readSoon(afterMs = 0): void {
    if (isScheduled) return
    isScheduled = true
    if (afterMs > 0) setTimeout(readOn, afterMs)
    else setImmediate(readOn)
  }

  function waitForMore(): void {
    if (state.type !== 'reading' && state.type !== 'discarding') return
    watch.arm()
    // What came before that.
    if (readPiece()) readSoon()
  }

  /** @returns whether there was anything */
  function readPiece(): boolean {
    if (state.type === 'discarding') return discardPiece()
    if (state.type !== 'reading') return false
    if (!log.hasRoom(pieceBytes)) return wait()
    looks = 0
    try {
      const offset = log.totals[stream]
      // What a supervisor that died has left in the spool comes first.
      const limit = Math.min(pieceBytes, Math.max(leastPieceBytes, Math.floor(turnBytes / growth)))
      const count = spool.end > offset ? Math.min(spool.end - offset, limit) : take(offset, limit)
      if (count === 0) return false
      const chunk = {stream, offset, bytes: spool.read(offset, count), atMs: now()}
      const before = log.position
      const why = log.append(chunk)
      if (spool.end <= log.totals[stream]) spool.clear()
      const logged = log.totals[stream] - offset
      if (logged > 0) growth = (log.position - before) / logged
      if (logged > 0) onOutput({...chunk, bytes: chunk.bytes.subarray(0, logged)})
      return why === undefined || block(why)
    } catch (why) {
      // The disk of the spool is full.
      return block(why)
    }
  }

  /** Into the spool. What a supervisor that died has left in the pipe comes first. */
  function take(offset: number, limitBytes: number): number {
    const count = spool.take(pipe, offset, limitBytes)
    if (count > 0 || !upstream || upstream.moveTo(keep, pieceBytes) === 0) return count
    return spool.take(pipe, offset, limitBytes)
  }

  function block(why: unknown): false {
    state = {type: 'blocked', why}
    setTimeout(retry, retryMs)
    return false
  }

  function wait(): false {
    state = {type: 'waiting'}
    setTimeout(retry, Math.min(retryMs, firstLookMs * 2 ** looks))
    looks = Math.min(looks + 1, 10)
    return false
  }

  function retry(): void {
    if (!isHeldUp()) return
    state = {type: 'reading'}
    readSoon()
  }

  function discardPiece(): boolean {
    try {
      return readSync(pipe, Buffer.allocUnsafe(pieceBytes)) > 0
    } catch {
      // EAGAIN: there is nothing.
      return upstream !== undefined && upstream.moveTo(keep, pieceBytes) > 0
    }
  }
}

/**
 * Moves output from a FIFO, or from a terminal by way of one, through a spool into the log, and reports it. MUST hold: no byte is lost or
 * doubled, wherever this process is killed; achieved by letting the kernel move bytes from the pipe into the spool, and by counting the bytes
 * in the log, which tells which of the spool are there. While the disk is full, or a reader needs what would be dropped, nothing is taken
 * from the pipe: it fills up and the process waits.
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
   * Reads what is there now, waits for a full disk to have room for it, and reads nothing after that. Idempotent.
   * @throws TallyError STDIO_FAILED when it is closed before that
   */
  drain(): Promise<void>
  /** Goes on reading, for processes that still write, and discards what it reads. Instead of `close`. */
  discard(): void
  close(): void
}

/** A source whose bytes have to be moved into the pipe. */
export interface Upstream {
  /** Non-blocking; the caller's to close. */
  readonly fd: number
  /** Moves what is there into the pipe, which is empty. @returns how many bytes */
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
  /** Whether commands are under way: then less is read. */
  readonly isUrgent?: (() => boolean) | undefined
}

const pieceBytes = 64 * 1024
const leastPieceBytes = 4 * 1024
/** Bytes of log written in one turn of the event loop: a few milliseconds of work. Short lines are many times as long in the log. */
const turnBytes = 256 * 1024
const mostPiecesAtOnce = 16
/** Between two turns, while commands are under way, or output is discarded. */
const pauseMs = 20
/** Between two attempts to write to a full disk. */
const retryMs = 250
/** Between two checks whether a reader has read: doubled each time, up to `retryMs`. */
const firstCheckMs = 5

type State =
  /** After so many checks for a reader in vain. */
  | {readonly type: 'reading'; readonly checks: number}
  /** The disk is full. */
  | {readonly type: 'blocked'; readonly why: unknown}
  /** A reader has to read first. */
  | {readonly type: 'waiting'; readonly checks: number}
  /** Output is no longer wanted, and some process still writes. */
  | {readonly type: 'discarding'}
  | {readonly type: 'closed'; readonly unwritten: number; readonly why: unknown}

export function openPipeReader({stream, path, upstream, spool: spoolFile, log, now, onOutput, isUrgent}: PipeReaderOptions): PipeReader {
  // Read-write: there is no end of file then while a container may still write.
  const keep = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  const pipe = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const spool = openSpool(spoolFile)
  let state: State = {type: 'reading', checks: 0}
  let draining: Promise<void> | undefined
  let isScheduled = false
  /** Bytes of log for each byte of the last piece. */
  let growth = turnBytes / leastPieceBytes
  const watch = watchPipe(upstream?.fd ?? pipe, readSoon)
  // There may be output already.
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
    // What comes later is written by processes that were left behind, and may never end.
    let left =
      state.type === 'closed' || upstream ? Number.POSITIVE_INFINITY : bytesInPipe(pipe) + Math.max(0, spool.end - log.totals[stream])
    for (let isEmpty = false; !isEmpty && left > 0 && state.type !== 'discarding'; ) {
      const before = log.totals[stream]
      isEmpty = !readTurn() && !isHeldUp()
      left -= log.totals[stream] - before
      await (isHeldUp() ? sleep(state.type === 'waiting' ? firstCheckMs : retryMs) : nextTurn())
    }
    if (state.type === 'closed' && state.why !== undefined) {
      const {unwritten, why: cause} = state
      throw new TallyError('STDIO_FAILED', `the log could not be written: ${unwritten} bytes of ${stream} were given up`, {cause})
    }
  }

  function isHeldUp(): boolean {
    return state.type === 'blocked' || state.type === 'waiting'
  }

  /** Until nothing is left, or the turn is over. */
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
    // It may have come before the watch was armed.
    if (readPiece()) readSoon()
  }

  /** @returns whether there was anything */
  function readPiece(): boolean {
    if (state.type === 'discarding') return discardPiece()
    if (state.type !== 'reading') return false
    if (!log.hasRoom(pieceBytes)) return wait(state.checks)
    state = {type: 'reading', checks: 0}
    try {
      const offset = log.totals[stream]
      // What an earlier supervisor has left in the spool comes first.
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

  /** Moves output into the spool. What an earlier supervisor has left in the pipe comes first. */
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

  function wait(checks: number): false {
    state = {type: 'waiting', checks: checks + 1}
    setTimeout(retry, Math.min(retryMs, firstCheckMs * 2 ** checks))
    return false
  }

  function retry(): void {
    if (!isHeldUp()) return
    state = {type: 'reading', checks: state.type === 'waiting' ? state.checks : 0}
    readSoon()
  }

  function discardPiece(): boolean {
    try {
      return readSync(pipe, Buffer.allocUnsafe(pieceBytes)) > 0
    } catch {
      // EAGAIN: nothing is there.
      return upstream !== undefined && upstream.moveTo(keep, pieceBytes) > 0
    }
  }
}

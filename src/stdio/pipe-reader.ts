/**
 * From a FIFO, or from a terminal by way of one, through a spool into the log, and told to whoever listens. MUST hold: no byte is lost or doubled, wherever this process
 * is killed; achieved by the kernel's moving bytes from the pipe into the spool, and by the log's count, which says what of the spool
 * is in it. While the disk does not take them, or a reader has to get what would be dropped for them, nothing more is taken from the
 * pipe, so that it fills and the process waits.
 */
import {closeSync, constants, openSync, readSync} from 'node:fs'
import {setTimeout as sleep} from 'node:timers/promises'
import {TallyError} from '../kernel/errors.ts'
import {watchPipe} from '../linux/pipe-watch.ts'
import type {OutputChunk, StreamName} from './container-stdio.ts'
import type {LogWriter} from './log-writer.ts'
import {openSpool} from './spool.ts'

export interface PipeReader {
  /**
   * Reads what there is, for as long as the disk takes to have room for it, and then no more. Idempotent.
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
}

const pieceBytes = 64 * 1024
/** Then others have their turn. */
const mostPiecesAtOnce = 16
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

export function openPipeReader({stream, path, upstream, spool: spoolFile, log, now, onOutput}: PipeReaderOptions): PipeReader {
  // Read-write, so that there is never an end of file while a container may still write.
  const keep = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  const pipe = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const spool = openSpool(spoolFile)
  let state: State = {type: 'reading'}
  let draining: Promise<void> | undefined
  let looks = 0
  const watch = watchPipe(upstream?.fd ?? pipe, readOn)
  // What waits already.
  setImmediate(readOn)

  return {
    drain: () => {
      draining ??= drain()
      return draining
    },
    discard: () => {
      state = {type: 'discarding'}
      readOn()
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
    while (readPiece() || isHeldUp()) if (isHeldUp()) await sleep(state.type === 'waiting' ? firstLookMs : retryMs)
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
    if (draining && state.type !== 'discarding') return
    let pieces = 0
    while (pieces < mostPiecesAtOnce && readPiece()) pieces += 1
    if (pieces < mostPiecesAtOnce) waitForMore()
    else setImmediate(readOn)
  }

  function waitForMore(): void {
    if (state.type !== 'reading' && state.type !== 'discarding') return
    watch.arm()
    // What came before that.
    if (readPiece()) setImmediate(readOn)
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
      const count = spool.end > offset ? Math.min(spool.end - offset, pieceBytes) : take(offset)
      if (count === 0) return false
      const chunk = {stream, offset, bytes: spool.read(offset, count), atMs: now()}
      const why = log.append(chunk)
      if (spool.end <= log.totals[stream]) spool.clear()
      const logged = log.totals[stream] - offset
      if (logged > 0) onOutput({...chunk, bytes: chunk.bytes.subarray(0, logged)})
      return why === undefined || block(why)
    } catch (why) {
      // The disk of the spool is full.
      return block(why)
    }
  }

  /** Into the spool. What a supervisor that died has left in the pipe comes first. */
  function take(offset: number): number {
    const count = spool.take(pipe, offset, pieceBytes)
    if (count > 0 || !upstream || upstream.moveTo(keep, pieceBytes) === 0) return count
    return spool.take(pipe, offset, pieceBytes)
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
    readOn()
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

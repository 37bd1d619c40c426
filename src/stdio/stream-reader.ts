/**
 * Reads what one stream of a process gives into the log, and tells of it. A byte is told only once it is in the log; while the
 * disk does not take it, nothing more is read, so that the pipe fills and the process waits: nothing is lost.
 */
import {readSync} from 'node:fs'
import type {Socket} from 'node:net'
import {setTimeout as sleep} from 'node:timers/promises'
import {TallyError} from '../kernel/errors.ts'
import type {OutputChunk, StreamName} from './container-stdio.ts'
import type {LogWriter} from './log-writer.ts'

export interface StreamReader {
  /**
   * Reads what there is, for as long as the disk takes to have room for it, and then no more. Idempotent.
   * @throws TallyError STDIO_FAILED when it is closed before that
   */
  drain(): Promise<void>
  /** Goes on reading, for whoever writes still, and forgets what it reads. Instead of `close`. */
  discard(): void
  close(): void
}

export interface StreamReaderOptions {
  readonly stream: StreamName
  /** Non-blocking; it is the socket's. */
  readonly fd: number
  readonly socket: Socket
  readonly log: LogWriter
  readonly now: () => number
  readonly onOutput: (chunk: OutputChunk) => void
}

const readBytes = 64 * 1024
/** How long a full disk is waited for, between tries. */
const retryMs = 250

type State =
  | {readonly type: 'reading'}
  /** The disk would not take this. */
  | {readonly type: 'blocked'; readonly chunk: OutputChunk; readonly why: unknown}
  /** Nobody wants it any more, but somebody writes it. */
  | {readonly type: 'discarding'}
  | {readonly type: 'closed'; readonly unwritten: OutputChunk | undefined; readonly why: unknown}

export function createStreamReader({stream, fd, socket, log, now, onOutput}: StreamReaderOptions): StreamReader {
  let state: State = {type: 'reading'}
  let draining: Promise<void> | undefined
  socket.on('data', take)
  // EIO is how a terminal ends, when the last process has closed it.
  socket.on('error', () => {})

  return {
    drain: () => {
      draining ??= drain()
      return draining
    },
    discard: () => {
      state = {type: 'discarding'}
      socket.resume()
    },
    close: () => {
      if (state.type === 'closed') return
      state = {
        type: 'closed',
        unwritten: state.type === 'blocked' ? state.chunk : undefined,
        why: state.type === 'blocked' ? state.why : undefined,
      }
      socket.destroy()
    },
  }

  async function drain(): Promise<void> {
    socket.pause()
    while (state.type === 'blocked' || (state.type === 'reading' && readAvailable())) if (state.type === 'blocked') await sleep(retryMs)
    if (state.type === 'closed' && state.unwritten) {
      const {unwritten, why: cause} = state
      throw new TallyError('STDIO_FAILED', `the log could not be written: ${unwritten.bytes.length} bytes of ${stream} were given up`, {
        cause,
      })
    }
  }

  function take(bytes: Buffer): void {
    if (state.type === 'discarding') return
    write({stream, offset: log.totals[stream], atMs: now(), bytes})
  }

  function write(chunk: OutputChunk): void {
    const why = log.append(chunk)
    if (why) {
      socket.pause()
      state = {type: 'blocked', chunk, why}
      setTimeout(retry, retryMs)
    } else {
      if (state.type === 'blocked' && !draining) socket.resume()
      state = {type: 'reading'}
      onOutput(chunk)
    }
  }

  function retry(): void {
    if (state.type === 'blocked') write(state.chunk)
  }

  /** Whether there was anything: takes it past the event loop, which may not have got to it yet. */
  function readAvailable(): boolean {
    // While it was paused, the socket may have read ahead: 'data' is emitted for that.
    if (socket.read() !== null) return true
    if (socket.destroyed) return false
    const buffer = Buffer.alloc(readBytes)
    const count = readNow(fd, buffer)
    if (count > 0) take(buffer.subarray(0, count))
    return count > 0
  }
}

/** How much there was; 0 also when a terminal has ended. */
function readNow(fd: number, buffer: Buffer): number {
  try {
    return readSync(fd, buffer, 0, buffer.length, null)
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'EAGAIN' || error.code === 'EIO')) return 0
    throw error
  }
}

/**
 * A terminal as the 0, 1 and 2 of a process: the runtime makes it and sends us its master. What the process writes is one stream,
 * logged as `stdout`; input passes through the line discipline of the terminal. From the master the kernel moves output into a FIFO,
 * which is read as that of any process is: a kill of the supervisor in between loses nothing.
 */
import {closeSync, rmSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {TallyError} from '../kernel/errors.ts'
import {openConsoleSocket} from '../linux/console-socket.ts'
import {setNonBlocking} from '../linux/non-blocking.ts'
import {spliceToPipe} from '../linux/splice.ts'
import {setWindowSize} from '../linux/window-size.ts'
import {createInputWriter, type InputWriter} from './input-writer.ts'
import {openLogWriter} from './log-writer.ts'
import {openPipeReader, type PipeReader} from './pipe-reader.ts'
import {makeSpooledFifo, removeSpools, toSpoolPath} from './spool.ts'
import type {ConsoleSize} from '../../machines/schemas/fields.ts'
import type {ProcessStdio, ProcessStdioOptions} from './process-stdio-port.ts'

/** As most programs expect of a terminal whose size nobody has set. */
const usualSize: ConsoleSize = {columns: 80, rows: 24}
/** Ends the line that is being typed, and is an end of file where there is none: VEOF of termios(3). */
const endOfTransmission = Uint8Array.of(4)

const [shortestWaitMs, longestWaitMs] = [5, 100]

type State =
  /** The runtime has not sent the master yet. */
  | {readonly type: 'awaited'}
  | {readonly type: 'open'; readonly master: number; readonly input: InputWriter; readonly reader: PipeReader}
  | {readonly type: 'closed'}

/** @throws TallyError STDIO_FAILED */
export function openTerminalStdio(options: ProcessStdioOptions): ProcessStdio {
  const {dir, logFile, rotation, consoleSize = usualSize, master: inherited, now, onOutput, isUrgent} = options
  // Disposing a stack twice does nothing the second time.
  const resources = new DisposableStack()
  const log = resources.use(openLogWriter(logFile, rotation))
  const socket = resources.use(openSocket(join(dir, 'console.sock')))
  let state: State = inherited === undefined ? {type: 'awaited'} : open(inherited)

  return {
    forRuntime: {type: 'terminal', consoleSocket: socket.path},
    handOver: async () => {
      if (state.type === 'open') return socket[Symbol.dispose]()
      const fd = socket.receive()
      socket[Symbol.dispose]()
      if (fd === undefined) throw new TallyError('STDIO_FAILED', 'the runtime has made no terminal, or has not sent it')
      setWindowSize(fd, consoleSize)
      state = open(fd)
    },
    write: async (bytes, account) => {
      if (state.type !== 'open') throw hungUp()
      await state.input.write(bytes, account).catch((cause: unknown) => {
        throw hungUp(cause)
      })
    },
    closeInput: async () => {
      // Not awaited: the program may never read what was typed before.
      if (state.type === 'open') state.input.write(endOfTransmission).catch(() => {})
    },
    resize: (size) => {
      if (state.type === 'open') setWindowSize(state.master, size)
    },
    drain: async () => {
      if (state.type === 'open') await state.reader.drain()
      return {...log.totals}
    },
    totals: log.totals,
    discard: () => {
      if (state.type === 'open') state.reader.discard()
      resources.dispose()
    },
    remove: async () => {
      rmSync(dir, {recursive: true, force: true})
      removeSpools(logFile)
    },
    [Symbol.asyncDispose]: async () => {
      if (state.type === 'open') {
        const {reader, master} = state
        state = {type: 'closed'}
        reader.close()
        closeSync(master)
      }
      resources.dispose()
    },
  }

  function open(master: number): State {
    setNonBlocking(master)
    const fifo = join(dir, 'stdout')
    const spool = toSpoolPath(logFile, 'stdout')
    makeSpooledFifo(fifo, spool)
    const reader = openPipeReader({
      stream: 'stdout',
      path: fifo,
      upstream: {fd: master, moveTo: (pipe, limitBytes) => spliceToPipe(master, pipe, limitBytes)},
      spool,
      log,
      now,
      onOutput,
      isUrgent,
    })
    const input = createInputWriter({fd: master, isOpen: () => state.type === 'open', untilRoom})
    return {type: 'open', master, input, reader}
  }
}

/** No event tells reliably that a terminal has room: it is tried, at growing intervals. */
async function untilRoom(tries: number): Promise<void> {
  await sleep(Math.min(longestWaitMs, shortestWaitMs * 2 ** Math.min(tries - 1, 10)))
}

function openSocket(path: string) {
  try {
    return openConsoleSocket(path)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new TallyError('STDIO_FAILED', `cannot listen for the terminal of the process: ${why}`, {cause})
  }
}

function hungUp(cause?: unknown): TallyError {
  return new TallyError('STDIN_CLOSED', 'the terminal has been hung up', {cause})
}

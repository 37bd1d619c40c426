import {closeSync, constants, mkdirSync, openSync, readSync, rmSync} from 'node:fs'
import {Socket} from 'node:net'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {TallyError} from '../kernel/errors.ts'
import {makeFifo} from '../linux/fifo.ts'
import type {ContainerStdio, ContainerStdioOptions, OutputChunk, StreamName} from './container-stdio.ts'
import {openLogWriter} from './log-writer.ts'

const streamNames = ['stdout', 'stderr'] as const satisfies readonly StreamName[]
const readBytes = 64 * 1024
/** How long a full disk is waited for, between tries. */
const retryMs = 250

/** @throws TallyError STDIO_FAILED */
export async function openContainerStdio(options: ContainerStdioOptions): Promise<ContainerStdio> {
  try {
    return open(options)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new TallyError('STDIO_FAILED', `cannot open the output of the container: ${why}`, {cause})
  }
}

function open({fifoDir, logFile, now, onOutput}: ContainerStdioOptions): ContainerStdio {
  mkdirSync(fifoDir, {recursive: true, mode: 0o700})
  const log = openLogWriter(logFile)
  const {totals} = log
  const childFds = [openSync('/dev/null', constants.O_RDONLY), ...streamNames.map(openForContainer)] as const
  const readers = streamNames.map((stream) => startReading(stream))
  let childFdsOpen = true
  let drained: Promise<Readonly<Record<StreamName, number>>> | undefined
  let disposed = false

  return {
    childFds: [childFds[0], childFds[1] ?? -1, childFds[2] ?? -1],
    releaseChildFds,
    drain: () => {
      drained ??= Promise.all(readers.map((reader) => reader.drain())).then(() => ({...totals}))
      return drained
    },
    totals,
    remove: async () => rmSync(fifoDir, {recursive: true, force: true}),
    [Symbol.asyncDispose]: async () => {
      if (disposed) return
      disposed = true
      releaseChildFds()
      for (const reader of readers) reader.close()
      log[Symbol.dispose]()
    },
  }

  function openForContainer(stream: StreamName): number {
    const path = join(fifoDir, stream)
    makeFifo(path, 0o600)
    return openSync(path, constants.O_RDWR)
  }

  function releaseChildFds(): void {
    if (!childFdsOpen) return
    childFdsOpen = false
    for (const fd of childFds) closeSync(fd)
  }

  function startReading(stream: StreamName) {
    // Read-write, so that there is never an end of file while a container may still write.
    const fd = openSync(join(fifoDir, stream), constants.O_RDWR | constants.O_NONBLOCK)
    const socket = new Socket({fd, readable: true, writable: false})
    /** Read from the pipe, and not yet in the log because the disk would not take it. */
    let unwritten: OutputChunk | undefined
    let writeError: unknown
    let closed = false
    socket.on('data', (bytes: Buffer) => {
      if (!record({stream, offset: totals[stream], atMs: now(), bytes})) retryLater()
    })
    socket.on('error', () => {})

    return {
      drain: async () => {
        socket.pause()
        while (!closed && (unwritten || readAvailable())) if (unwritten) await sleep(retryMs)
        if (unwritten)
          throw new TallyError('STDIO_FAILED', `the log could not be written: ${unwritten.bytes.length} bytes of ${stream} were given up`, {
            cause: writeError,
          })
      },
      close: () => {
        closed = true
        socket.destroy()
      },
    }

    /** Whether there was anything: takes it from the pipe past the event loop, which may not have got to it yet. */
    function readAvailable(): boolean {
      // While it was paused, the socket may have read ahead: 'data' is emitted for that.
      if (socket.read() !== null) return true
      const buffer = Buffer.alloc(readBytes)
      try {
        const count = readSync(fd, buffer, 0, buffer.length, null)
        if (count > 0 && !record({stream, offset: totals[stream], atMs: now(), bytes: buffer.subarray(0, count)})) retryLater()
        return count > 0
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return false
        throw error
      }
    }

    function record(chunk: OutputChunk): boolean {
      writeError = log.append(chunk)
      if (writeError) {
        unwritten = chunk
        return false
      }
      unwritten = undefined
      onOutput(chunk)
      return true
    }

    /** The pipe fills meanwhile and the container waits: nothing is lost. */
    function retryLater(): void {
      socket.pause()
      setTimeout(() => {
        if (closed || !unwritten) return
        if (record(unwritten)) {
          if (!drained) socket.resume()
        } else retryLater()
      }, retryMs)
    }
  }
}

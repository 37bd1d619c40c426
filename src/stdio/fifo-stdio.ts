import {chownSync, closeSync, constants, mkdirSync, openSync, rmSync} from 'node:fs'
import {join} from 'node:path'
import {TallyError} from '../kernel/errors.ts'
import type {ContainerStdio, ContainerStdioOptions} from './container-stdio.ts'
import type {StreamName} from './streams.ts'
import {openLogWriter} from './log-writer.ts'
import {openPipeReader, type PipeReader} from './pipe-reader.ts'
import {makeSpooledFifo, removeSpools, toSpoolPath} from './spool.ts'

const streamNames = ['stdout', 'stderr'] as const satisfies readonly StreamName[]

/** @throws TallyError STDIO_FAILED */
export async function openContainerStdio(options: ContainerStdioOptions): Promise<ContainerStdio> {
  try {
    return open(options)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new TallyError('STDIO_FAILED', `cannot open the output of the container: ${why}`, {cause})
  }
}

function open({fifoDir, logFile, rotation, owner, now, onOutput, isUrgent}: ContainerStdioOptions): ContainerStdio {
  mkdirSync(fifoDir, {recursive: true, mode: 0o700})
  const log = openLogWriter(logFile, rotation)
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
    discard: () => {
      for (const reader of readers) reader.discard()
      log[Symbol.dispose]()
    },
    remove: async () => {
      rmSync(fifoDir, {recursive: true, force: true})
      removeSpools(logFile)
    },
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
    makeSpooledFifo(path, toSpoolPath(logFile, stream))
    if (owner) chownSync(path, owner.uid, owner.gid)
    return openSync(path, constants.O_RDWR)
  }

  function releaseChildFds(): void {
    if (!childFdsOpen) return
    childFdsOpen = false
    for (const fd of childFds) closeSync(fd)
  }

  function startReading(stream: StreamName): PipeReader {
    return openPipeReader({stream, path: join(fifoDir, stream), spool: toSpoolPath(logFile, stream), log, now, onOutput, isUrgent})
  }
}

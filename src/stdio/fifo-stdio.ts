/** The output of a container through two FIFOs: opened for the container, and read into its log. */
import {chownSync, constants, mkdirSync, openSync, rmSync} from 'node:fs'
import {join} from 'node:path'
import {streamNames, type StreamName} from '../../machines/schemas/streams.ts'
import {TallyError} from '../kernel/errors.ts'
import {createChildDescriptors} from './child-descriptors.ts'
import type {ContainerStdio, ContainerStdioOptions} from './container-stdio.ts'
import {openLogWriter} from './log-writer.ts'
import {openPipeReader, type PipeReader} from './pipe-reader.ts'
import {makeSpooledFifo, removeSpools, toSpoolPath} from './spool.ts'

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
  using opening = new DisposableStack()
  // Disposing a stack again does nothing.
  const logs = opening.use(new DisposableStack())
  const log = logs.use(openLogWriter(logFile, rotation))
  const child = opening.use(createChildDescriptors())
  const stdin = child.add(openSync('/dev/null', constants.O_RDONLY))
  const stdout = child.add(openForContainer('stdout'))
  const stderr = child.add(openForContainer('stderr'))
  const readers = streamNames.map((stream) => opening.adopt(startReading(stream), (reader) => reader.close()))
  const resources = opening.move()

  return {
    childFds: [stdin, stdout, stderr],
    releaseChildFds: child.release,
    drain: async () => {
      await Promise.all(readers.map((reader) => reader.drain()))
      return {...log.totals}
    },
    totals: log.totals,
    discard: () => {
      for (const reader of readers) reader.discard()
      logs.dispose()
    },
    remove: async () => {
      rmSync(fifoDir, {recursive: true, force: true})
      removeSpools(logFile)
    },
    [Symbol.asyncDispose]: async () => resources.dispose(),
  }

  function openForContainer(stream: StreamName): number {
    const path = join(fifoDir, stream)
    makeSpooledFifo(path, toSpoolPath(logFile, stream))
    if (owner) chownSync(path, owner.uid, owner.gid)
    return openSync(path, constants.O_RDWR)
  }

  function startReading(stream: StreamName): PipeReader {
    return openPipeReader({stream, path: join(fifoDir, stream), spool: toSpoolPath(logFile, stream), log, now, onOutput, isUrgent})
  }
}

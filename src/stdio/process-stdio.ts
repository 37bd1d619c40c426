/** The 0, 1 and 2 of one process, be they pipes or a terminal, and whatever its supervisor does with them. */
import {mkdirSync} from 'node:fs'
import {join} from 'node:path'
import {TallyError} from '../kernel/errors.ts'
import type {ContainerStdio, OutputChunk, StreamName} from './container-stdio.ts'
import {openContainerStdio} from './fifo-stdio.ts'
import type {InputAccount} from './input-writer.ts'
import type {LogRotation} from './log-writer.ts'
import {createStdinFifo, reopenStdinFifo, type StdinFifo} from './stdin-fifo.ts'
import {openTerminalStdio} from './terminal-stdio.ts'

/** What the runtime is given: three descriptors, or a socket to which it sends the master of a terminal that it makes. */
export type RuntimeStdio =
  | {readonly type: 'pipes'; readonly fds: readonly [stdin: number, stdout: number, stderr: number]}
  | {readonly type: 'terminal'; readonly consoleSocket: string}

export interface ConsoleSize {
  readonly columns: number
  readonly rows: number
}

export interface ProcessStdio extends AsyncDisposable {
  readonly forRuntime: RuntimeStdio
  /** The runtime has returned: what was for it alone is closed, and a terminal is received. @throws TallyError STDIO_FAILED */
  handOver(): Promise<void>
  /** Resolves when the kernel has taken all of it: then the next may come. @throws TallyError STDIN_CLOSED */
  write(bytes: Uint8Array, account?: InputAccount): Promise<void>
  /** An end of file, after what was written before. Idempotent. */
  closeInput(): Promise<void>
  /** Nothing for pipes. */
  resize(size: ConsoleSize): void
  /** As {@link ContainerStdio.drain}. */
  drain(): Promise<Readonly<Record<StreamName, number>>>
  readonly totals: Readonly<Record<StreamName, number>>
  /** As {@link ContainerStdio.discard}. */
  discard(): void
  /** Removes the FIFOs and what belongs to them, not the log. Idempotent. */
  remove(): Promise<void>
}

export interface ProcessStdioOptions {
  /** For FIFOs and sockets; made (0700) when missing. */
  readonly dir: string
  readonly logFile: string
  readonly rotation?: LogRotation | undefined
  /** Whether somebody will send input. */
  readonly stdin: boolean
  readonly terminal: boolean
  readonly consoleSize?: ConsoleSize | undefined
  /** The master of a terminal that was made before. */
  readonly master?: number | undefined
  readonly now: () => number
  readonly onOutput: (chunk: OutputChunk) => void
  /** Whether somebody waits for what this process does besides: then it reads less. */
  readonly isUrgent?: (() => boolean) | undefined
}

/** For a process that is to be started. @throws TallyError STDIO_FAILED */
export async function openProcessStdio(options: ProcessStdioOptions): Promise<ProcessStdio> {
  mkdirSync(options.dir, {recursive: true, mode: 0o700})
  if (options.terminal) return openTerminalStdio(options)
  return await openPipes(options, options.stdin ? createStdinFifo(join(options.dir, 'stdin')) : undefined)
}

/** For one that another supervisor has started. A terminal that nobody has kept went with that one: what is left is its log. */
export async function reopenProcessStdio(options: ProcessStdioOptions): Promise<ProcessStdio> {
  mkdirSync(options.dir, {recursive: true, mode: 0o700})
  if (options.terminal && options.master !== undefined) return openTerminalStdio(options)
  return await openPipes(options, options.stdin && !options.terminal ? reopenStdinFifo(join(options.dir, 'stdin')) : undefined)
}

async function openPipes(
  {dir, logFile, rotation, now, onOutput, isUrgent}: ProcessStdioOptions,
  stdin: StdinFifo | undefined,
): Promise<ProcessStdio> {
  const output: ContainerStdio = await openContainerStdio({fifoDir: dir, logFile, rotation, now, onOutput, isUrgent})
  const [nothing, stdout, stderr] = output.childFds
  return {
    forRuntime: {type: 'pipes', fds: [stdin?.childFd ?? nothing, stdout, stderr]},
    handOver: async () => {
      output.releaseChildFds()
      stdin?.releaseChildFd()
    },
    write: async (bytes, account) => {
      if (!stdin) throw new TallyError('STDIN_CLOSED', 'the process takes no input')
      await stdin.write(bytes, account)
    },
    closeInput: async () => await stdin?.close(),
    resize: () => {},
    drain: () => output.drain(),
    totals: output.totals,
    discard: () => {
      stdin?.[Symbol.dispose]()
      output.discard()
    },
    remove: () => output.remove(),
    [Symbol.asyncDispose]: async () => {
      stdin?.[Symbol.dispose]()
      await output[Symbol.asyncDispose]()
    },
  }
}

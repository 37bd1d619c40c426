/** What a supervisor sees of the standard streams of one process, be they pipes or a terminal. */
import type {ConsoleSize} from '../../machines/schemas/fields.ts'
import type {RuntimeStdio} from '../kernel/runtime-stdio.ts'
import type {FifoOwner} from './fifo-owner.ts'
import type {InputAccount} from './input-writer.ts'
import type {LogRotation} from './log-writer.ts'
import type {OutputChunk, StreamName} from './streams.ts'

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
  /** Root of the container, where that is not root of the host: the FIFOs are its. */
  readonly owner?: FifoOwner | undefined
  /** The master of a terminal that was made before. */
  readonly master?: number | undefined
  readonly now: () => number
  readonly onOutput: (chunk: OutputChunk) => void
  /** Whether somebody waits for what this process does besides: then it reads less. */
  readonly isUrgent?: (() => boolean) | undefined
}

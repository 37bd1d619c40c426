/** What a supervisor sees of the standard streams of one process, be they pipes or a terminal. */
import type {ConsoleSize} from '../../machines/schemas/fields.ts'
import type {RuntimeStdio} from '../kernel/runtime-stdio.ts'
import type {FifoOwner} from './fifo-owner.ts'
import type {InputAccount} from './input-writer.ts'
import type {LogRotation} from './log-writer.ts'
import type {OutputChunk, StreamName} from './streams.ts'

export interface ProcessStdio extends AsyncDisposable {
  readonly forRuntime: RuntimeStdio
  /** Call when the runtime has returned: closes what only the runtime needed, and receives a terminal. @throws TallyError STDIO_FAILED */
  handOver(): Promise<void>
  /** Resolves when the kernel has taken all of it: then the next piece may be written. @throws TallyError STDIN_CLOSED */
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
  /** Whether the process takes input. */
  readonly stdin: boolean
  readonly terminal: boolean
  readonly consoleSize?: ConsoleSize | undefined
  /** Root of the container, where that is not root of the host: it owns the FIFOs. */
  readonly owner?: FifoOwner | undefined
  /** The master of an existing terminal. */
  readonly master?: number | undefined
  readonly now: () => number
  readonly onOutput: (chunk: OutputChunk) => void
  /** Whether commands are under way: then less is read. */
  readonly isUrgent?: (() => boolean) | undefined
}

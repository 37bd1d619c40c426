/** What a supervisor sees of the standard streams of one process, be they pipes or a terminal: its shim holds them. */
import type {ConsoleSize} from '../../machines/schemas/fields.ts'
import type {RuntimeStdio} from '../kernel/runtime-stdio.ts'
import type {StreamName} from './streams.ts'

export type Totals = Readonly<Record<StreamName, number>>

/** How far a log has come: bytes of log, and of each stream, since create. */
export type LogProgress = Totals & {readonly position: number}

/** Of a process that is to be started. */
export interface NewProcessStdio extends ProcessStdio {
  readonly forRuntime: RuntimeStdio
  /** Call when the runtime has returned: closes what only the runtime needed, and receives a terminal. @throws TallyError STDIO_FAILED */
  handOver(): Promise<void>
}

export interface ProcessStdio {
  /** In the order of the calls. Resolves when the kernel has taken all of it. @throws TallyError STDIN_CLOSED */
  write(bytes: Uint8Array, account: InputAccount): Promise<void>
  /** An end of file, after what was written before. Idempotent. */
  closeInput(): Promise<void>
  /** Nothing for pipes. */
  resize(size: ConsoleSize): Promise<void>
  /**
   * What is behind these offsets is not dropped from the log before that moment; the process waits instead.
   * @param untilMs milliseconds since boot
   */
  hold(untilMs: number, from: Totals): Promise<void>
  /** Has `onGrew` called once, when the log is longer than that; not any more when it is undefined. @returns how far the log is now */
  follow(position: number | undefined): Promise<LogProgress>
  /**
   * Reads what is there, and no more. Call it when every process of the container is gone. Resolves when all of it is in the log; waits while
   * the disk is full. Idempotent.
   */
  drain(): Promise<LogProgress>
  /** As last heard of: it changes. */
  readonly progress: LogProgress
  /** What was put down with the last input that was accepted, by whichever supervisor; empty when there was none. */
  readonly cookie: Uint8Array
  /** Stops reading. Idempotent. @returns how much is lost: it was there, and is not in the log */
  close(): Promise<Totals>
  /** Instead of closing: goes on reading and discards what it reads, since a process that was left behind would block when the pipe is full. */
  discard(): Promise<void>
  /** Removes the FIFOs and what belongs to them, not the log. Idempotent. */
  remove(): void
}

/** Counts the input of one client. */
export interface InputAccount {
  /** What the next supervisor is to know once so many more bytes are accepted, at most 1,024 bytes. They are, whatever happens to this one. */
  toCookie(bytes: number): Uint8Array
  /** The kernel has taken so many more. */
  taken(bytes: number): void
}

export interface ProcessStdioOptions {
  /** Tells it from the others of this container. */
  readonly name: string
  /** For FIFOs and sockets; made (0700) when missing. */
  readonly dir: string
  /** In CRI format; made (0600) when missing, appended to when it exists. */
  readonly logFile: string
  readonly rotation?: LogRotation | undefined
  /** Whether the process takes input. */
  readonly stdin: boolean
  readonly terminal: boolean
  readonly consoleSize?: ConsoleSize | undefined
  /** Root of the container, where that is not root of the host: it owns the FIFOs. */
  readonly owner?: FifoOwner | undefined
  readonly onGrew: (progress: LogProgress) => void
}

/** A line that would make a file larger than `maxBytes` begins another; the last `maxFiles` are kept. */
export interface LogRotation {
  readonly maxBytes: number
  readonly maxFiles: number
}

/** Ids on the host. */
export interface FifoOwner {
  readonly uid: number
  readonly gid: number
}

export interface ProcessStdios {
  /** For a process that is to be started. @throws TallyError STDIO_FAILED */
  open(options: ProcessStdioOptions): Promise<NewProcessStdio>
  /** For one that another supervisor has started. A terminal that was lost with a shim is gone; its log is left. @throws TallyError STDIO_FAILED */
  reopen(options: ProcessStdioOptions): Promise<ProcessStdio>
}

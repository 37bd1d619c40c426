/**
 * What a process reads and writes. Its output goes from the FIFOs or the terminal into the log, and from there to all subscribers.
 * Publishing is best effort, as core NATS is; a client that sees a gap in the offsets asks for the bytes with `output`.
 */
import {TallyError} from '../../kernel/errors.ts'
import type {OutputChunk, StreamName} from '../../stdio/streams.ts'
import type {InputAccount} from '../../stdio/input-writer.ts'
import type {LogRotation, Wanted} from '../../stdio/log-writer.ts'
import type {ConsoleSize} from '../../../machines/schemas/fields.ts'
import type {RuntimeStdio} from '../../kernel/runtime-stdio.ts'
import type {ProcessStdio} from '../../stdio/process-stdio-port.ts'
import type {Interest} from './interest.ts'
import type {Lease} from './lease.ts'

export interface Output {
  /** Makes, or re-opens after another supervisor, the FIFOs or the terminal, and the log. @returns what the runtime is given */
  open(options: OpenOptions): Promise<RuntimeStdio>
  /** The runtime has returned. @throws TallyError STDIO_FAILED when it has sent no terminal */
  handOver(): Promise<void>
  /** Resolves when the kernel has taken all of it. @throws TallyError STDIN_CLOSED */
  write(bytes: Uint8Array, account?: InputAccount): Promise<void>
  /** An end of file, after what was written before. Idempotent. */
  closeInput(): Promise<void>
  resize(size: ConsoleSize): void
  /** Every writer is gone: reads what is left, and publishes that this was all. Idempotent. */
  end(): Promise<void>
  /** The next process is about to use it: reads what is left and removes the FIFOs; the end is not published. Idempotent. */
  renew(): Promise<void>
  /** That of the reader which cannot do without the rest. */
  readonly lease: Pick<Lease, 'take' | 'untilMs' | 'whenReleased'>
  /** That of subscribers: it is published only while there are any, but for its end. */
  readonly interest: Pick<Interest, 'watch' | 'untilMs' | 'whenReleased'>
  /**
   * Removes the FIFOs. Idempotent.
   * @param isWritten by processes that this one has left behind: their output is read and discarded, so that they do not block
   */
  remove(isWritten?: boolean): Promise<void>
  readonly totals: Readonly<Record<StreamName, number>>
  readonly ended: boolean
}

export interface OpenOptions {
  readonly stdin: boolean
  readonly terminal: boolean
  readonly consoleSize?: ConsoleSize | undefined
  readonly rotation?: LogRotation | undefined
  /** It was opened by another supervisor before. */
  readonly again?: boolean
  /** The master of its terminal, where it was inherited. */
  readonly master?: number | undefined
}

export interface OutputDependencies {
  /** @param wanted from where on a reader needs the output; undefined when none does */
  readonly openStdio: (options: OpenOptions, onOutput: (chunk: OutputChunk) => void, wanted: Wanted) => Promise<ProcessStdio>
  readonly publish: (chunk: OutputChunk) => void
  readonly publishEnd: (totals: Readonly<Record<StreamName, number>>) => void
  readonly lease: Lease
  readonly interest: Interest
}

type Phase =
  | {readonly type: 'closed'; readonly totals: Readonly<Record<StreamName, number>>}
  /** Until the runtime has returned, output may be its own error message: it is published only if there is a process. */
  | {readonly type: 'opening'; readonly stdio: ProcessStdio; readonly unpublished: OutputChunk[]}
  | {readonly type: 'open'; readonly stdio: ProcessStdio}
  /** Every writer is gone; what they have written is still being read. */
  | {readonly type: 'ending'; readonly stdio: ProcessStdio; readonly done: Promise<void>}
  | {readonly type: 'ended'; readonly stdio: ProcessStdio}

const nothing = {stdout: 0, stderr: 0} as const

export function createOutput({openStdio, publish, publishEnd, lease, interest}: OutputDependencies): Output {
  let phase: Phase = {type: 'closed', totals: nothing}

  return {
    open: async (options) => {
      const unpublished: OutputChunk[] = []
      const receive = (chunk: OutputChunk) => (phase.type === 'opening' ? void unpublished.push(chunk) : publish(chunk))
      const stdio = await openStdio(options, receive, lease.needed)
      phase = {type: 'opening', stdio, unpublished}
      lease.save()
      return stdio.forRuntime
    },
    handOver: async () => {
      if (phase.type !== 'opening') return
      const {stdio, unpublished} = phase
      await stdio.handOver()
      phase = {type: 'open', stdio}
      for (const chunk of unpublished) publish(chunk)
    },
    write: async (bytes, account) => {
      if (phase.type !== 'open' && phase.type !== 'opening') throw new TallyError('STDIN_CLOSED', 'the process reads no input')
      await phase.stdio.write(bytes, account)
    },
    closeInput: async () => {
      if (phase.type !== 'closed') await phase.stdio.closeInput()
    },
    resize: (size) => {
      if (phase.type === 'open') phase.stdio.resize(size)
    },
    end: async () => {
      if (phase.type === 'open' || phase.type === 'opening') phase = {type: 'ending', stdio: phase.stdio, done: finish(phase.stdio)}
      if (phase.type === 'ending') await phase.done
    },
    lease,
    interest,
    renew: async () => {
      if (phase.type === 'closed') return
      await phase.stdio.drain()
      await remove(false)
    },
    remove,
    get totals() {
      return phase.type === 'closed' ? phase.totals : phase.stdio.totals
    },
    get ended() {
      return phase.type === 'closed' || phase.type === 'ended'
    },
  }

  async function remove(isWritten = false): Promise<void> {
    if (phase.type === 'closed') return
    const {stdio} = phase
    phase = {type: 'closed', totals: {...stdio.totals}}
    if (isWritten) stdio.discard()
    else await stdio[Symbol.asyncDispose]()
    await stdio.remove()
  }

  async function finish(stdio: ProcessStdio): Promise<void> {
    try {
      publishEnd(await stdio.drain())
    } finally {
      if (phase.type === 'ending') phase = {type: 'ended', stdio}
    }
  }
}

/**
 * What a process reads and writes. Its output goes from the FIFOs or the terminal into the log, and from there to whoever listens.
 * Publishing is best effort, as core NATS is; a client that sees a gap in the offsets asks for the bytes with `output`.
 */
import {longestHoldMs} from '../../../machines/commands/commands.ts'
import type {Clock} from '../../kernel/clock.ts'
import {TallyError} from '../../kernel/errors.ts'
import type {OutputChunk, StreamName} from '../../stdio/streams.ts'
import type {InputAccount} from '../../stdio/input-writer.ts'
import type {LogRotation, Wanted} from '../../stdio/log-writer.ts'
import type {ConsoleSize} from '../../../machines/schemas/fields.ts'
import type {RuntimeStdio} from '../../kernel/runtime-stdio.ts'
import type {ProcessStdio} from '../../stdio/process-stdio-port.ts'
import type {HoldRecord} from './lease-file.ts'

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
  /** Every writer is gone: reads what is left, and tells listeners that this was all. Idempotent. */
  end(): Promise<void>
  /** It is to be opened anew, for the next process: reads what is left, removes the FIFOs, and tells nobody that this was all. Idempotent. */
  renew(): Promise<void>
  /**
   * A listener cannot do without the rest: `whenReleased` waits for so long, or until he lets go with 0.
   * @param from the first bytes that he has not got
   */
  hold(holdMs: number, from?: Readonly<Record<StreamName, number>>): void
  whenReleased(): Promise<void>
  /**
   * Removes the FIFOs. Idempotent.
   * @param isWritten by whom the process has left behind: it is read on then, and forgotten, so that they do not block
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
  /** The master of its terminal, where that was kept. */
  readonly master?: number | undefined
}

export interface OutputDependencies {
  /** @param wanted from where on somebody cannot do without the output; undefined when nobody says so */
  readonly openStdio: (options: OpenOptions, onOutput: (chunk: OutputChunk) => void, wanted: Wanted) => Promise<ProcessStdio>
  readonly publish: (chunk: OutputChunk) => void
  readonly publishEnd: (totals: Readonly<Record<StreamName, number>>) => void
  /** Of the supervisor before, and for the one after. */
  readonly held: HoldRecord
  readonly clock: Pick<Clock, 'elapsed' | 'sleep'>
}

/** Where the output is in its life. */
type Phase =
  | {readonly type: 'closed'; readonly totals: Readonly<Record<StreamName, number>>}
  /** What comes before the runtime has returned may be its own complaint: it is told only if there is a process. */
  | {readonly type: 'opening'; readonly stdio: ProcessStdio; readonly untold: OutputChunk[]}
  | {readonly type: 'open'; readonly stdio: ProcessStdio}
  /** Every writer is gone; what they have written is still being read. */
  | {readonly type: 'ending'; readonly stdio: ProcessStdio; readonly done: Promise<void>}
  | {readonly type: 'ended'; readonly stdio: ProcessStdio}

const releasePollMs = 20
const nothing = {stdout: 0, stderr: 0} as const

export function createOutput({openStdio, publish, publishEnd, held, clock}: OutputDependencies): Output {
  let phase: Phase = {type: 'closed', totals: nothing}
  // If the host has been booted since, nobody is to wait for longer than can be asked for.
  let heldUntil = Math.min(held.read(), clock.elapsed() + longestHoldMs)
  /** Of him whom the supervisor before knew: he will say. */
  let heldFrom: Readonly<Record<StreamName, number>> | undefined = nothing
  const wanted: Wanted = () => (heldUntil > clock.elapsed() ? heldFrom : undefined)

  return {
    open: async (options) => {
      const untold: OutputChunk[] = []
      const tell = (chunk: OutputChunk) => (phase.type === 'opening' ? void untold.push(chunk) : publish(chunk))
      const stdio = await openStdio(options, tell, wanted)
      phase = {type: 'opening', stdio, untold}
      if (heldUntil > clock.elapsed()) held.write(heldUntil)
      return stdio.forRuntime
    },
    handOver: async () => {
      if (phase.type !== 'opening') return
      const {stdio, untold} = phase
      await stdio.handOver()
      phase = {type: 'open', stdio}
      for (const chunk of untold) publish(chunk)
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
    hold: (holdMs, from) => {
      heldUntil = clock.elapsed() + holdMs
      heldFrom = from
      held.write(heldUntil)
    },
    whenReleased: async () => {
      while (heldUntil > clock.elapsed()) await clock.sleep(releasePollMs)
    },
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

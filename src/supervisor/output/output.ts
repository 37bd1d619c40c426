/**
 * What a process reads and writes. The shim writes its output into the log, from where it goes to all subscribers. Publishing is best
 * effort, as core NATS is; a client that sees a gap in the offsets asks for the bytes with `output`.
 */
import type {ConsoleSize} from '../../../machines/schemas/fields.ts'
import {TallyError} from '../../kernel/errors.ts'
import type {RuntimeStdio} from '../../kernel/runtime-stdio.ts'
import type {InputAccount, LogProgress, LogRotation, NewProcessStdio, ProcessStdio, Totals} from '../../stdio/process-stdio-port.ts'
import type {OutputChunk} from '../../stdio/streams.ts'
import type {Interest} from './interest.ts'
import type {Lease} from './lease.ts'
import type {LogFollower} from './log-follower.ts'

export interface Output {
  /** Makes the FIFOs or the terminal, and the log. @returns what the runtime is given. @throws TallyError STDIO_FAILED */
  open(options: OpenOptions): Promise<RuntimeStdio>
  /** Takes them over from another supervisor. @throws TallyError STDIO_FAILED */
  reopen(options: OpenOptions): Promise<void>
  /** The runtime has returned. @throws TallyError STDIO_FAILED when it has sent no terminal */
  handOver(): Promise<void>
  /** Resolves when the kernel has taken all of it. @throws TallyError STDIN_CLOSED */
  write(bytes: Uint8Array, account: InputAccount): Promise<void>
  /** What a former supervisor has put down with the last input; empty when there is none. */
  readonly inputCookie: Uint8Array
  /** An end of file, after what was written before. Idempotent. */
  closeInput(): Promise<void>
  resize(size: ConsoleSize): Promise<void>
  /** Every writer is gone: has what is left read, and publishes that this was all. Idempotent. */
  end(): Promise<void>
  /** The next process is about to use it: has what is left read and removes the FIFOs; the end is not published. Idempotent. */
  renew(): Promise<void>
  /** That of the reader which cannot do without the rest. */
  readonly lease: Pick<Lease, 'take' | 'untilMs' | 'whenReleased'>
  /** That of subscribers. */
  readonly interest: Pick<Interest, 'untilMs' | 'whenReleased'>
  /** Publishes what is written, from now on for so many milliseconds at least. When it resolves, all behind `totals` is to be published. */
  watch(forMs: number, reader?: string): Promise<void>
  /** Resolves when `totals` has all that is in the log, at the call or later. */
  refresh(): Promise<void>
  /**
   * Removes the FIFOs. Idempotent.
   * @param isWritten by processes that this one has left behind: their output is read and discarded, so that they do not block
   */
  remove(isWritten?: boolean): Promise<void>
  readonly totals: Totals
  readonly ended: boolean
}

export interface OpenOptions {
  readonly stdin: boolean
  readonly terminal: boolean
  readonly consoleSize?: ConsoleSize | undefined
  readonly rotation?: LogRotation | undefined
}

export interface OutputDependencies {
  readonly openStdio: (options: OpenOptions, onGrew: OnGrew) => Promise<NewProcessStdio>
  readonly reopenStdio: (options: OpenOptions, onGrew: OnGrew) => Promise<ProcessStdio>
  readonly createFollower: (from: LogProgress, publish: (chunk: OutputChunk) => void) => LogFollower
  readonly publish: (chunk: OutputChunk) => void
  readonly publishEnd: (totals: Totals) => void
  readonly lease: Lease
  readonly interest: Interest
}

type OnGrew = (progress: LogProgress) => void

interface Opened {
  readonly stdio: ProcessStdio
  readonly follower: LogFollower
}

type Phase =
  | {readonly type: 'closed'; readonly totals: Totals}
  /** Until the runtime has returned, output may be its own error message: it is published only if there is a process. */
  | ({readonly type: 'opening'; readonly stdio: NewProcessStdio} & Opened)
  | ({readonly type: 'open'} & Opened)
  /** Every writer is gone; what they have written is still being read. */
  | ({readonly type: 'ending'; readonly done: Promise<void>} & Opened)
  | ({readonly type: 'ended'} & Opened)

const nothing = {stdout: 0, stderr: 0} as const

export function createOutput({openStdio, reopenStdio, createFollower, publish, publishEnd, lease, interest}: OutputDependencies): Output {
  let phase: Phase = {type: 'closed', totals: nothing}
  /** The shim is to tell that the log has grown. Resolves when it knows. */
  let following: Promise<unknown> | undefined
  lease.onChange(holdLog)

  return {
    open: async (options) => {
      const stdio = await openStdio(options, readOn)
      phase = {type: 'opening', ...begin(stdio), stdio}
      holdLog()
      return stdio.forRuntime
    },
    reopen: async (options) => {
      const stdio = await reopenStdio(options, readOn)
      phase = {type: 'open', ...begin(stdio)}
      holdLog()
      if (interest.isWatched) await begun(follow(phase))
    },
    handOver: async () => {
      if (phase.type !== 'opening') return
      const {stdio, follower} = phase
      await stdio.handOver()
      phase = {type: 'open', stdio, follower}
      // From the beginning of the process: its follower has not been moved.
      if (interest.isWatched) await begun(tell(stdio, follower.position))
    },
    write: async (bytes, account) => {
      if (phase.type !== 'open' && phase.type !== 'opening') throw new TallyError('STDIN_CLOSED', 'the process reads no input')
      await phase.stdio.write(bytes, account)
    },
    get inputCookie() {
      return phase.type === 'closed' ? new Uint8Array() : phase.stdio.cookie
    },
    closeInput: async () => {
      if (phase.type === 'open' || phase.type === 'opening') await phase.stdio.closeInput()
    },
    resize: async (size) => {
      if (phase.type === 'open') await phase.stdio.resize(size)
    },
    end: async () => {
      if (phase.type === 'open' || phase.type === 'opening') phase = {...phase, type: 'ending', done: finish(phase)}
      if (phase.type === 'ending') await phase.done
    },
    lease,
    interest,
    watch: async (forMs, reader) => {
      interest.watch(forMs, reader)
      if (interest.isWatched && phase.type === 'open') await (following ?? begun(follow(phase)))
    },
    refresh: async () => {
      if (phase.type !== 'open') return
      const {stdio} = phase
      await tell(stdio, following && stdio.progress.position)
    },
    renew: async () => {
      if (phase.type === 'closed') return
      // The shim has room for one drain at a time: that of the end will do.
      if (phase.type === 'ending') await phase.done
      else {
        await phase.stdio.drain()
        if (following) await phase.follower.read()
      }
      await remove(false)
    },
    remove,
    get totals() {
      return phase.type === 'closed' ? phase.totals : phase.stdio.progress
    },
    get ended() {
      return phase.type === 'closed' || phase.type === 'ended'
    },
  }

  function begin(stdio: ProcessStdio): Opened {
    lease.save()
    following = undefined
    return {stdio, follower: createFollower(stdio.progress, publish)}
  }

  /** Those who ask meanwhile wait for it as well. */
  function begun(beginning: Promise<unknown>): Promise<unknown> {
    following = beginning
    return beginning
  }

  /** From where the log is now. */
  async function follow({stdio, follower}: Opened): Promise<void> {
    // First only asked: that it has grown is told in the same turn as the reply, and would be read from an earlier place.
    const progress = await tell(stdio, undefined)
    if (!progress) return
    follower.moveTo(progress)
    await tell(stdio, progress.position)
  }

  /** @returns undefined when it was closed meanwhile */
  async function tell(stdio: ProcessStdio, position: number | undefined): Promise<LogProgress | undefined> {
    try {
      return await stdio.follow(position)
    } catch (error) {
      if (phase.type !== 'closed' && phase.stdio === stdio) throw error
      return undefined
    }
  }

  function readOn({position}: LogProgress): void {
    if (phase.type !== 'open') return
    const {stdio, follower} = phase
    if (!interest.isWatched) {
      following = undefined
      return
    }
    // Not from what was read: the last line may be incomplete, until the disk has room for the rest.
    const going = follower.read().then(() => tell(stdio, position))
    // A log that cannot be read ends nobody: who asks again is published to again.
    going.catch(() => {
      following = undefined
    })
  }

  function holdLog(): void {
    if (phase.type === 'closed') return
    const needed = lease.needed()
    void phase.stdio.hold(needed?.untilMs ?? 0, needed?.from ?? nothing)
  }

  async function remove(isWritten = false): Promise<void> {
    if (phase.type === 'closed') return
    const {stdio} = phase
    phase = {type: 'closed', totals: {...stdio.progress}}
    if (isWritten) await stdio.discard()
    else await stdio.close()
    stdio.remove()
  }

  async function finish({stdio, follower}: Opened): Promise<void> {
    try {
      const totals = await stdio.drain()
      if (following) await follower.read()
      publishEnd(totals)
    } finally {
      if (phase.type === 'ending') phase = {type: 'ended', stdio, follower}
    }
  }
}

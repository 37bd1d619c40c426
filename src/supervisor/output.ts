/**
 * The container's output on its way out: from the FIFOs into the log, and from there to whoever listens.
 * Publishing is best effort, as core NATS is; a client that sees a gap in the offsets asks for the bytes with `output`.
 */
import type {Clock} from '../kernel/clock.ts'
import type {ContainerStdio, OutputChunk, StreamName} from '../stdio/container-stdio.ts'

export interface Output {
  /** Makes or re-opens the FIFOs and the log. @returns what becomes the container's 0, 1 and 2. */
  open(): Promise<ContainerStdio['childFds']>
  releaseChildFds(): void
  /** Every writer is gone: reads what is left, and tells listeners that this was all. Idempotent. */
  end(): Promise<void>
  /** A listener cannot do without the rest: `whenReleased` waits for so long, or until he lets go with 0. */
  hold(holdMs: number): void
  whenReleased(): Promise<void>
  /** Removes the FIFOs. Idempotent. */
  remove(): Promise<void>
  readonly totals: Readonly<Record<StreamName, number>>
  readonly ended: boolean
}

export interface OutputDependencies {
  readonly openStdio: (onOutput: (chunk: OutputChunk) => void) => Promise<ContainerStdio>
  readonly publish: (chunk: OutputChunk) => void
  readonly publishEnd: (totals: Readonly<Record<StreamName, number>>) => void
  readonly clock: Pick<Clock, 'now' | 'sleep'>
}

/** Where the output is in its life. */
type Phase =
  | {readonly type: 'closed'}
  | {readonly type: 'open'; readonly stdio: ContainerStdio}
  | {readonly type: 'ended'; readonly stdio: ContainerStdio; readonly done: Promise<void>}

const releasePollMs = 20
const nothing = {stdout: 0, stderr: 0} as const

export function createOutput({openStdio, publish, publishEnd, clock}: OutputDependencies): Output {
  let phase: Phase = {type: 'closed'}
  let heldUntil = 0

  return {
    open: async () => {
      const stdio = await openStdio(publish)
      phase = {type: 'open', stdio}
      return stdio.childFds
    },
    releaseChildFds: () => {
      if (phase.type !== 'closed') phase.stdio.releaseChildFds()
    },
    end: async () => {
      if (phase.type === 'open') phase = {type: 'ended', stdio: phase.stdio, done: phase.stdio.drain().then(publishEnd)}
      if (phase.type === 'ended') await phase.done
    },
    hold: (holdMs) => {
      heldUntil = clock.now() + holdMs
    },
    whenReleased: async () => {
      while (heldUntil > clock.now()) await clock.sleep(releasePollMs)
    },
    remove: async () => {
      if (phase.type === 'closed') return
      const {stdio} = phase
      phase = {type: 'closed'}
      await stdio[Symbol.asyncDispose]()
      await stdio.remove()
    },
    get totals() {
      return phase.type === 'closed' ? nothing : phase.stdio.totals
    },
    get ended() {
      return phase.type !== 'open'
    },
  }
}

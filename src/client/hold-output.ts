import type {StreamName} from '../../machines/schemas/streams.ts'
import {toErrorBody} from '../kernel/errors.ts'
import type {ProcessClient} from './types.ts'

/** Longer than a nats-server takes to be started again; short enough for a container whose client was killed. */
const holdMs = 30_000
const renewMs = 10_000
/** How often a reader reports how far it is. */
const toldEveryMs = 20
/** An offset behind all output: the request only renews the lease. */
const beyond = Number.MAX_SAFE_INTEGER

/** How many bytes of each stream a reader is done with. */
export type Got = Readonly<Record<StreamName, number>>

export interface OutputHold extends AsyncDisposable {
  /** The reader has read more: an added process may wait for that. */
  tell(): void
}

/** What the supervisor knows of how far the reader is. */
type Report =
  | {readonly type: 'nothing new'}
  | {readonly type: 'due'; readonly timer: NodeJS.Timeout}
  | {readonly type: 'sent'}
  /** The reader has read more since it was sent. */
  | {readonly type: 'sent, and old'}
  | {readonly type: 'disposed'}

/**
 * Takes a lease on output: a container or an added process that removes itself does not do so before it is disposed, so that the last of the
 * output and the exit status can be read. The lease lapses by itself 30 s after this process has died.
 * @param got how far the reader is: an added process whose log is full waits for it, instead of dropping output
 * @param isOver false while the reader is about to take the lease again, over another connection: then it is not ended
 */
export async function holdOutput(process: ProcessClient, got?: () => Got, isOver = () => true): Promise<OutputHold> {
  let report: Report = {type: 'nothing new'}
  await hold(holdMs)
  // If it fails because NATS cannot be reached, the next renewal is in time.
  const timer = setInterval(() => hold(holdMs).catch(() => {}), renewMs)
  return {
    tell: () => {
      if (report.type === 'nothing new') schedule()
      else if (report.type === 'sent') report = {type: 'sent, and old'}
    },
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer)
      if (report.type === 'due') clearTimeout(report.timer)
      report = {type: 'disposed'}
      // If the process or NATS is gone, the lease lapses by itself.
      if (isOver()) await hold(0).catch(() => {})
    },
  }

  function schedule(): void {
    report = {type: 'due', timer: setTimeout(send, toldEveryMs)}
  }

  function send(): void {
    report = {type: 'sent'}
    hold(holdMs).then(finish, finish)
  }

  function finish(): void {
    if (report.type === 'sent, and old') schedule()
    else if (report.type === 'sent') report = {type: 'nothing new'}
  }

  async function hold(forMs: number): Promise<void> {
    const options = {holdMs: forMs, limitBytes: 1}
    try {
      await process.output('stdout', beyond, got ? {...options, holdFrom: got()} : options)
    } catch (error) {
      // A supervisor of an earlier version drops nothing.
      if (!got || toErrorBody(error).code !== 'INVALID_REQUEST') throw error
      await process.output('stdout', beyond, options)
    }
  }
}

import type {StreamName} from '../../machines/schemas/streams.ts'
import {toErrorBody} from '../kernel/errors.ts'
import type {ProcessClient} from './types.ts'

/** Longer than a nats-server takes to be started again; short enough for a container whose client was killed. */
const holdMs = 30_000
const renewMs = 10_000
/** A reader says so often how far he is. */
const toldEveryMs = 20
/** What comes from there on: nothing. */
const beyond = Number.MAX_SAFE_INTEGER

/** How many bytes of each stream a reader is done with. */
export type Got = Readonly<Record<StreamName, number>>

export interface OutputHold extends AsyncDisposable {
  /** The reader has got on: an added process may be waiting for that. */
  tell(): void
}

/**
 * Keeps a container or an added process that removes itself from doing so before it is disposed, so that the last of its output and its exit
 * status can be had. The hold lapses by itself 30 s after this process has died.
 * @param got how far the reader is: an added process waits, when its log is full, for what would be dropped
 * @param isOver false while whoever holds is about to hold again, over another connection: then it is not let go of
 */
export async function holdOutput(process: ProcessClient, got?: () => Got, isOver = () => true): Promise<OutputHold> {
  let told: NodeJS.Timeout | undefined
  await hold(holdMs)
  // Failing, because NATS is away, it is tried again in time.
  const timer = setInterval(() => hold(holdMs).catch(() => {}), renewMs)
  return {
    tell: () => {
      told ??= setTimeout(() => {
        hold(holdMs).then(
          () => (told = undefined),
          () => (told = undefined),
        )
      }, toldEveryMs)
    },
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer)
      clearTimeout(told)
      // It may be gone, or NATS: then it goes by itself.
      if (isOver()) await hold(0).catch(() => {})
    },
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

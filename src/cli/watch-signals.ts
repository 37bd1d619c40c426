/**
 * The signals that reach a verb that makes something, from its first moment to its last. MUST hold at any instant: what was made is
 * removed, or it is somebody's who knows of it; achieved by asking for signals right before each step that cannot be undone.
 */
import {toSignalNumber} from '../../machines/schemas/signals.ts'
import {type ErrorBody, TallyError, toErrorBody} from '../kernel/errors.ts'
import {writeToFd} from './fd-writer.ts'
import {printError, printNote} from './print.ts'

const watched = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const
export type WatchedSignal = (typeof watched)[number]
/** So many that ask us to end, and we do, whatever is left behind. */
const patience = 3

export interface SignalWatch extends Disposable {
  /** From here on something is being made, and a signal waits. Before, it ends us at once. */
  begin(): void
  /** @throws TallyError CANCELLED when a signal waits: what was made is to be removed */
  check(): void
  /** What was made is somebody's. Signals that wait are given to `take` in their order, and those that come. */
  handOver(take: (signal: WatchedSignal) => void): void
  /** What was made is about to be told of: from here on no signal ends us. */
  finish(): void
}

export function watchSignals(): SignalWatch {
  const waiting: WatchedSignal[] = []
  let take: (signal: WatchedSignal) => void = end
  const listener = (signal: WatchedSignal) => take(signal)
  for (const signal of watched) process.on(signal, listener)

  return {
    begin: () => {
      take = wait
    },
    check: () => {
      const [signal] = waiting
      if (signal) throw new TallyError('CANCELLED', `ended by ${signal} before it was done; nothing is left of it`, {details: {signal}})
    },
    handOver: (taker) => {
      take = taker
      for (const signal of waiting.splice(0)) taker(signal)
    },
    finish: () => {
      take = () => {}
      // Node.js lets go of signals while it cleans up, which it does not when it is told to exit.
      process.once('beforeExit', () => process.exit())
    },
    [Symbol.dispose]: unwatch,
  }

  function unwatch(): void {
    for (const signal of watched) process.off(signal, listener)
  }

  /** As if nobody had watched: a shell that runs us looks at what has ended us. */
  function end(signal: WatchedSignal): void {
    unwatch()
    process.kill(process.pid, signal)
  }

  function wait(signal: WatchedSignal): void {
    waiting.push(signal)
    if (waiting.length <= patience) return
    printNote('ending without waiting for what was being made, of which something may be left')
    end(signal)
  }
}

interface Making<M, T> {
  readonly make: () => Promise<M>
  readonly remove: (made: M) => Promise<unknown>
  /** Asks `check()` before each step, and ends with `tell`, `handOver()` or an error. */
  readonly finish: (made: M, tell: (line: string) => Promise<void>) => Promise<T>
}

/**
 * Makes something, and removes it again when a signal comes before `finish` has given it away, or when it cannot be told of: nobody would
 * know its id.
 */
export async function makeOrRemove<M, T>(signals: SignalWatch, {make, remove, finish}: Making<M, T>): Promise<T> {
  signals.begin()
  const made = await make()
  let isUntold = false
  try {
    signals.check()
    return await finish(made, tell)
  } catch (error) {
    if (isUntold || toSignalExit(toErrorBody(error)) !== undefined)
      await remove(made).catch((why: unknown) => printError(toErrorBody(why), {json: false}))
    throw error
  }

  async function tell(line: string): Promise<void> {
    signals.finish()
    isUntold = true
    await writeToFd(1, Buffer.from(`${line}\n`))
    isUntold = false
  }
}

/** Of an error of `check`: as a shell has it. */
export function toSignalExit({code, details}: ErrorBody): number | undefined {
  const signal = watched.find((name) => name === details['signal'])
  return code === 'CANCELLED' && signal ? 128 + toSignalNumber(signal) : undefined
}

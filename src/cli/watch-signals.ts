/**
 * Signals that arrive while a verb creates something. MUST hold at any moment: what was created is removed, or the caller has been told
 * its id; achieved by checking for signals right before each step that cannot be undone.
 */
import {toSignalNumber} from '../../machines/schemas/signals.ts'
import {type ErrorBody, TallyError, toErrorBody} from '../kernel/errors.ts'
import {writeToFd} from './fd-writer.ts'
import {printError, printNote} from './print.ts'

const watched = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const
export type WatchedSignal = (typeof watched)[number]
/** Signals that may wait while something is created. One more ends this process, whatever is left behind. */
const patience = 3

export interface SignalWatch extends Disposable {
  /** Something is being created from here on, and a signal waits. Before, a signal ends this process at once. */
  begin(): void
  /** @throws TallyError CANCELLED when a signal waits: the caller has to remove what was created */
  check(): void
  /** `take` handles the signals that wait, in their order, and all later ones. */
  handOver(take: (signal: WatchedSignal) => void): void
  /** The id is about to be printed: from here on signals are ignored. */
  finish(): void
}

type Phase =
  | {readonly type: 'idle'}
  | {readonly type: 'creating'; readonly waiting: readonly WatchedSignal[]}
  | {readonly type: 'handed-over'; readonly take: (signal: WatchedSignal) => void}
  | {readonly type: 'finished'}

export function watchSignals(): SignalWatch {
  let phase: Phase = {type: 'idle'}
  for (const signal of watched) process.on(signal, onSignal)

  return {
    begin: () => {
      phase = {type: 'creating', waiting: []}
    },
    check: () => {
      const [signal] = phase.type === 'creating' ? phase.waiting : []
      if (signal) throw new TallyError('CANCELLED', `ended by ${signal} before it was done; nothing is left of it`, {details: {signal}})
    },
    handOver: (take) => {
      const waiting = phase.type === 'creating' ? phase.waiting : []
      phase = {type: 'handed-over', take}
      for (const signal of waiting) take(signal)
    },
    finish: () => {
      phase = {type: 'finished'}
      // Node.js removes its signal handlers while it cleans up, except after process.exit().
      process.once('beforeExit', () => process.exit())
    },
    [Symbol.dispose]: unwatch,
  }

  function onSignal(signal: WatchedSignal): void {
    switch (phase.type) {
      case 'idle':
        end(signal)
        break
      case 'creating':
        phase = {type: 'creating', waiting: [...phase.waiting, signal]}
        if (phase.waiting.length <= patience) break
        printNote('ending without waiting for what was being made, of which something may be left')
        end(signal)
        break
      case 'handed-over':
        phase.take(signal)
        break
      case 'finished':
        break
    }
  }

  function unwatch(): void {
    for (const signal of watched) process.off(signal, onSignal)
  }

  /** Ends this process by the signal itself, since a shell looks at how its child has ended. */
  function end(signal: WatchedSignal): void {
    unwatch()
    process.kill(process.pid, signal)
  }
}

interface Making<M, T> {
  readonly make: () => Promise<M>
  readonly remove: (made: M) => Promise<unknown>
  /** Calls `check()` before each step, and ends with `tell`, `handOver()` or an error. */
  readonly finish: (made: M, tell: (line: string) => Promise<void>) => Promise<T>
}

/**
 * Creates something, and removes it again when a signal arrives before `finish` has handed it over, or when its id cannot be printed:
 * the caller could not find it.
 */
export async function makeOrRemove<M, T>(signals: SignalWatch, {make, remove, finish}: Making<M, T>): Promise<T> {
  signals.begin()
  const made = await make()
  let printFailure: unknown
  try {
    signals.check()
    return await finish(made, tell)
  } catch (error) {
    if (error === printFailure || toSignalExit(toErrorBody(error)) !== undefined)
      await remove(made).catch((why: unknown) => printError(toErrorBody(why), {json: false}))
    throw error
  }

  async function tell(line: string): Promise<void> {
    signals.finish()
    try {
      await writeToFd(1, Buffer.from(`${line}\n`))
    } catch (error) {
      printFailure = error
      throw error
    }
  }
}

/** The exit status after an error of `check`: 128 + n for signal n, as in a shell. */
export function toSignalExit({code, details}: ErrorBody): number | undefined {
  const signal = watched.find((name) => name === details['signal'])
  return code === 'CANCELLED' && signal ? 128 + toSignalNumber(signal) : undefined
}

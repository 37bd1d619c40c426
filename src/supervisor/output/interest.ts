/**
 * Who wants the output of one process published. Core NATS does not tell who has subscribed, so subscribers ask for a time and repeat that
 * before it is over. The next supervisor publishes nothing until it is asked; of readers with a name it remembers that there were any.
 */
import type {Clock} from '../../kernel/clock.ts'
import {longestWatchMs} from '../../../machines/commands/commands.ts'
import type {LeaseFile} from './lease-file.ts'

export interface Interest {
  /**
   * From now on for so many milliseconds.
   * @param reader with a name: replaces what it has asked for before, and 0 lets go. A process that removes itself waits for it. Of several
   *   requests without a name the longest counts, and 0 changes nothing
   */
  watch(forMs: number, reader?: string): void
  readonly isWatched: boolean
  /** When the last of them ends, in milliseconds of `Clock.elapsed`; undefined when there is none. */
  untilMs(): number | undefined
  /** Resolves when there is no reader with a name, of the supervisor before either. */
  whenReleased(): Promise<void>
}

/** The file is not written again for less. */
const toleranceMs = 1_000

export function createInterest(file: LeaseFile, clock: Pick<Clock, 'elapsed' | 'at'>): Interest {
  const inheritedMs = inherit(file.read(), clock.elapsed())
  const readers = new Map<string, number>()
  const waiting = new Set<() => void>()
  let unnamedMs = 0
  let savedMs = inheritedMs

  return {
    watch: (forMs, reader) => {
      const endMs = clock.elapsed() + forMs
      if (reader === undefined) unnamedMs = Math.max(unnamedMs, endMs)
      else setEnd(reader, endMs)
    },
    get isWatched() {
      return Math.max(unnamedMs, ...readers.values()) > clock.elapsed()
    },
    untilMs: () => toFuture(Math.max(unnamedMs, toNamedMs())),
    whenReleased: async () => {
      for (let endMs = toFuture(toNamedMs()); endMs !== undefined; endMs = toFuture(toNamedMs())) await untilChanged(endMs)
    },
  }

  function setEnd(reader: string, endMs: number): void {
    for (const [name, ms] of readers) if (ms <= clock.elapsed()) readers.delete(name)
    if (endMs > clock.elapsed()) readers.set(reader, endMs)
    else readers.delete(reader)
    save()
    for (const wake of waiting) wake()
  }

  function save(): void {
    const endMs = toFuture(toNamedMs())
    if (Math.abs((endMs ?? 0) - savedMs) <= toleranceMs) return
    savedMs = endMs ?? 0
    file.write(endMs)
  }

  function toNamedMs(): number {
    return Math.max(inheritedMs, ...readers.values())
  }

  function toFuture(endMs: number): number | undefined {
    return endMs > clock.elapsed() ? endMs : undefined
  }

  async function untilChanged(endMs: number): Promise<void> {
    const {promise, resolve} = Promise.withResolvers<void>()
    using _timer = clock.at(endMs, resolve)
    waiting.add(resolve)
    await promise
    waiting.delete(resolve)
  }
}

/** The host may have been booted since, and its clock have begun again. */
function inherit(untilMs = 0, nowMs: number): number {
  return Math.min(untilMs, nowMs + longestWatchMs)
}

/**
 * A reader's lease on the output of one process. While it lasts, a container or process that removes itself waits, and the log drops nothing
 * that the reader still needs. It is taken for a time, renewed, and let go; it survives the supervisor.
 */
import {longestHoldMs} from '../../../machines/commands/commands.ts'
import type {Clock} from '../../kernel/clock.ts'
import type {StreamName} from '../../stdio/streams.ts'
import type {LeaseFile} from './lease-file.ts'

export type Offsets = Readonly<Record<StreamName, number>>

export interface NeededOutput {
  /** Milliseconds since boot. */
  readonly untilMs: number
  readonly from: Offsets
}

export interface Lease {
  /**
   * Replaces the one before.
   * @param leaseMs from now on; 0 lets go
   * @param from what the reader needs of the log: all from these offsets on; nothing when absent
   */
  take(leaseMs: number, from?: Offsets): void
  /** What the log may not drop, and until when; undefined when it may drop anything. */
  needed(): NeededOutput | undefined
  /** When it runs out, in milliseconds of `Clock.elapsed`; undefined when nobody has it. */
  untilMs(): number | undefined
  /** Calls when what is needed has changed, but for a lease that has run out. */
  onChange(listener: () => void): void
  /** Resolves when the reader has let go, or its lease has run out. */
  whenReleased(): Promise<void>
  /** Writes the file again: the directory may be younger than the lease. */
  save(): void
}

type State =
  | {readonly type: 'free'}
  | {readonly type: 'leased'; readonly untilMs: number; readonly from: Offsets | undefined}
  /** Taken from the supervisor before this one. Until the reader renews it, nobody knows what it has read: it may need everything. */
  | {readonly type: 'inherited'; readonly untilMs: number}

const everything: Offsets = {stdout: 0, stderr: 0}

export function createLease(file: LeaseFile, clock: Pick<Clock, 'elapsed' | 'at'>): Lease {
  let state = inherit(file.read(), clock.elapsed())
  const waiting = new Set<() => void>()
  const listeners: (() => void)[] = []

  return {
    take: (leaseMs, from) => {
      state = leaseMs > 0 ? {type: 'leased', untilMs: clock.elapsed() + leaseMs, from} : {type: 'free'}
      save()
      for (const wake of waiting) wake()
      for (const listener of listeners) listener()
    },
    needed: () => {
      const present = settle()
      if (present.type === 'free') return undefined
      const from = present.type === 'inherited' ? everything : present.from
      return from && {untilMs: present.untilMs, from}
    },
    untilMs: () => {
      const present = settle()
      return present.type === 'free' ? undefined : present.untilMs
    },
    onChange: (listener) => void listeners.push(listener),
    whenReleased: async () => {
      for (let present = settle(); present.type !== 'free'; present = settle()) await untilChanged(present.untilMs)
    },
    save: () => {
      if (settle().type !== 'free') save()
    },
  }

  /** One that has run out is free. */
  function settle(): State {
    if (state.type !== 'free' && state.untilMs <= clock.elapsed()) state = {type: 'free'}
    return state
  }

  function save(): void {
    file.write(state.type === 'free' ? undefined : state.untilMs)
  }

  async function untilChanged(untilMs: number): Promise<void> {
    const {promise, resolve} = Promise.withResolvers<void>()
    using _timer = clock.at(untilMs, resolve)
    waiting.add(resolve)
    await promise
    waiting.delete(resolve)
  }
}

/** The host may have been booted since, and its clock have begun again: nobody waits for longer than a reader may ask for. */
function inherit(untilMs: number | undefined, nowMs: number): State {
  return untilMs === undefined ? {type: 'free'} : {type: 'inherited', untilMs: Math.min(untilMs, nowMs + longestHoldMs)}
}

/**
 * Those who wait for an exit while the supervisor sleeps. The exit wakes it, and it journals it: here it is seen in the stream, at once, or in
 * the journal, if the stream cannot be read.
 */
import {parseSource} from '../../../machines/ledger/ids.ts'
import type {Ledger} from '../../../machines/ledger/ledger.ts'
import {toOutcome} from '../../../machines/ledger/outcome.ts'
import type {Clock} from '../../kernel/clock.ts'
import {fromFailure, TallyError} from '../../kernel/errors.ts'
import type {ContainerName} from '../../layout/container-name.ts'
import {assertKnown} from '../../observation/views.ts'
import type {FoldObserver} from '../ledgers/projection.ts'

export interface ExitWaits {
  /** Resolves with the ledger as it is after the exit. @throws TallyError EXEC_NOT_FOUND, CONTAINER_NOT_FOUND, TIMED_OUT */
  wait(name: ContainerName, wanted: {readonly exec?: string | undefined; readonly waitMs?: number | undefined}): Promise<Ledger>
  readonly observer: FoldObserver
}

export interface ExitWaitsDependencies {
  readonly node: string
  /** @throws TallyError CONTAINER_NOT_FOUND */
  readonly find: (name: ContainerName) => Ledger
  readonly clock: Pick<Clock, 'elapsed' | 'at'>
}

interface Waiter {
  readonly name: ContainerName
  readonly exec: string | undefined
  /** As it was when the wait began: an exit before that is not the one. */
  readonly since: Ledger
  readonly resolve: (ledger: Ledger) => void
  readonly reject: (error: unknown) => void
}

const pollMs = 500

export function createExitWaits({node, find, clock}: ExitWaitsDependencies): ExitWaits {
  const waiters = new Set<Waiter>()
  let polling: 'off' | 'on' = 'off'

  return {
    wait: async (name, {exec, waitMs}) => {
      const since = find(name)
      assertKnown(since, exec)
      if (hasExited(since, exec)) return since
      const {promise, resolve, reject} = Promise.withResolvers<Ledger>()
      const waiter = {name, exec, since, resolve, reject}
      waiters.add(waiter)
      if (polling === 'off') pollLater()
      using _timer = waitMs === undefined ? undefined : clock.at(clock.elapsed() + waitMs, () => reject(timedOut(waitMs)))
      try {
        return await promise
      } finally {
        waiters.delete(waiter)
      }
    },
    observer: {
      onFolded: (event, ledger) => {
        const address = waiters.size > 0 ? parseSource(event.source) : undefined
        if (address?.node !== node) return
        for (const {name, exec, since, resolve, reject} of waiters) {
          if (name.namespace !== address.namespace || name.id !== address.id) continue
          if (since.latest?.uid !== event.uid || since.latest.sequence >= event.sequence) continue
          const outcome = toOutcome('wait', {intentId: undefined, exec}, event, ledger)
          if (outcome.type === 'done') resolve(ledger)
          if (outcome.type === 'failed') reject(fromFailure(outcome.error))
        }
      },
      onReset: () => {},
    },
  }

  function pollLater(): void {
    polling = waiters.size > 0 ? 'on' : 'off'
    if (polling === 'on') clock.at(clock.elapsed() + pollMs, poll)
  }

  function poll(): void {
    for (const {name, exec, since, resolve, reject} of waiters) {
      try {
        const ledger = find(name)
        const isRestarted = ledger.snapshot.context.restarts > since.snapshot.context.restarts
        if (hasExited(ledger, exec) || isRestarted) resolve(ledger)
      } catch (error) {
        // What is deleted has been published before.
        clock.at(clock.elapsed() + pollMs, () => reject(error))
      }
    }
    pollLater()
  }
}

function hasExited({snapshot, processes}: Ledger, exec: string | undefined): boolean {
  const context = exec === undefined ? snapshot.context : processes.get(exec)?.context
  return context?.exited !== undefined
}

function timedOut(timeoutMs: number): TallyError {
  return new TallyError('TIMED_OUT', `it has not exited within ${timeoutMs} ms`, {details: {timeoutMs}})
}

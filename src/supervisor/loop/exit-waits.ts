/** Those who wait for the exit of init, or of an added process. */
import type {Ledger} from '../../../machines/ledger/ledger.ts'
import type {Clock} from '../../kernel/clock.ts'
import {TallyError} from '../../kernel/errors.ts'
import type {PendingRequests} from './pending-requests.ts'

export interface ExitWaitDependencies {
  readonly requests: PendingRequests
  readonly ledger: () => Ledger
  readonly clock: Pick<Clock, 'at' | 'elapsed'>
}

/** @throws TallyError EXEC_NOT_FOUND, TIMED_OUT */
export function waitForExit(
  {requests, ledger, clock}: ExitWaitDependencies,
  {exec, patienceMs}: {readonly exec: string | undefined; readonly patienceMs: number | undefined},
): Promise<Ledger> {
  const {promise, resolve, reject} = Promise.withResolvers<Ledger>()
  const process = exec === undefined ? ledger().snapshot : ledger().processes.get(exec)
  if (!process) reject(new TallyError('EXEC_NOT_FOUND', `no process ${exec} was added to this container`, {details: {exec}}))
  else if (process.context.exited) resolve(ledger())
  else begin()
  return promise

  function begin(): void {
    const ticket = requests.wait(exec, {resolve, reject})
    if (patienceMs === undefined) return
    const timer = clock.at(clock.elapsed() + patienceMs, () => {
      requests.withdraw(ticket)
      reject(new TallyError('TIMED_OUT', `it has not exited within ${patienceMs} ms`, {details: {timeoutMs: patienceMs}}))
    })
    const disarm = () => timer[Symbol.dispose]()
    promise.then(disarm, disarm)
  }
}

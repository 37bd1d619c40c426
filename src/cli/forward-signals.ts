import type {ProcessClient} from '../client/client.ts'
import {exitCodes} from './exit-codes.ts'
import {printNote} from './print.ts'

const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const
/** So many that ask us to end, and we do, whatever the process makes of them. */
const patience = 3

/** What this process is sent, that one is sent. */
export function forwardSignals(toProcess: () => ProcessClient, name: string): Disposable {
  let asked = 0
  const forward = (signal: NodeJS.Signals) => {
    if (signal === 'SIGINT' || signal === 'SIGTERM') asked += 1
    if (asked > patience) {
      printNote(`ending without waiting for ${name}, which runs on`)
      process.exit(exitCodes.runFailed)
    }
    // It may have ended, or NATS be away: who wants it to end asks again.
    toProcess()
      .kill(signal)
      .catch(() => {})
  }
  for (const signal of forwarded) process.on(signal, forward)
  return {
    [Symbol.dispose]: () => {
      for (const signal of forwarded) process.off(signal, forward)
    },
  }
}

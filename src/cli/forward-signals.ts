import type {ProcessClient} from '../client/client.ts'
import {exitCodes} from './exit-codes.ts'
import {printNote} from './print.ts'
import type {WatchedSignal} from './watch-signals.ts'

/** So many that ask us to end, and we do, whatever the process makes of them. */
const patience = 3

/** What this process is sent, that one is sent. */
export function createForwarder(toProcess: () => ProcessClient, name: string): (signal: WatchedSignal) => void {
  let asked = 0
  return (signal) => {
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
}

import type {ProcessClient} from '../client/client.ts'
import {exitCodes} from './exit-codes.ts'
import {printNote} from './print.ts'
import type {WatchedSignal} from './watch-signals.ts'

/** Number of SIGINT and SIGTERM that are forwarded. One more ends this process, whatever the other one does. */
const patience = 3

/** Forwards signals to a process of a container. */
export function createForwarder(toProcess: () => ProcessClient, name: string): (signal: WatchedSignal) => void {
  let forwarded = 0
  return (signal) => {
    if (signal === 'SIGINT' || signal === 'SIGTERM') forwarded += 1
    if (forwarded > patience) {
      printNote(`ending without waiting for ${name}, which runs on`)
      process.exit(exitCodes.runFailed)
    }
    // A failure is ignored: the process may have ended, or NATS cannot be reached and the user presses ctrl-c again.
    toProcess()
      .kill(signal)
      .catch(() => {})
  }
}

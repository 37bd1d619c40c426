/** The first connection of a client. A coordinator that is about to be started again starts its nats-server as well. */
import type {NatsConnection} from 'nats'
import type {Clock} from '../kernel/clock.ts'
import {TallyError} from '../kernel/errors.ts'
import type {Outlook} from './outlook.ts'

export interface ReachDependencies {
  readonly clock: Pick<Clock, 'elapsed' | 'sleep'>
  readonly readOutlook: () => Promise<Outlook>
}

/** A server that is the user's own, and away, is not waited for any longer. */
const patienceMs = 10_000
const retryMs = 100

/** @throws TallyError that of `dial`, NATS_UNREACHABLE after 10 s at the latest */
export async function untilReachable(
  dial: () => Promise<NatsConnection>,
  {clock, readOutlook}: ReachDependencies,
): Promise<NatsConnection> {
  for (const giveUpAt = clock.elapsed() + patienceMs; ; await clock.sleep(retryMs)) {
    try {
      return await dial()
    } catch (error) {
      if (!(error instanceof TallyError && error.code === 'NATS_UNREACHABLE')) throw error
      if (clock.elapsed() > giveUpAt || (await readOutlook()).type !== 'starting') throw error
    }
  }
}

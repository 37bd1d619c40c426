/** The subscriptions with which the coordinator receives the requests to one container, beside its supervisor or in its place. */
import type {Msg, NatsConnection} from 'nats'
import type {ContainerAddress} from '../../../machines/ledger/ids.ts'
import type {Clock} from '../../kernel/clock.ts'
import {queueGroup} from '../../messaging/services.ts'
import type {Subjects} from '../../messaging/subjects.ts'

export interface Interest {
  /** Resolves when requests arrive here, whichever server of a cluster they are sent to. */
  settled(clock: Pick<Clock, 'sleep'>): Promise<void>
  /** Resolves when nothing arrives any more. */
  end(clock: Pick<Clock, 'sleep'>): Promise<void>
}

export interface InterestOptions {
  readonly subjects: Pick<Subjects, 'commands' | 'inputs'>
  readonly address: ContainerAddress
  readonly onMessage: (message: Msg) => void
}

/** In which the servers of a cluster learn of a subscription: the old one is kept for so long after the new one. */
const propagationMs = 500

export function subscribeFor(connection: NatsConnection, {subjects, address, onMessage}: InterestOptions): Interest {
  const callback = (error: Error | null, message: Msg) => {
    if (!error) onMessage(message)
  }
  const subscriptions = [subjects.commands(address), subjects.inputs(address)].map((subject) =>
    connection.subscribe(subject, {queue: queueGroup, callback}),
  )
  const propagated = async (clock: Pick<Clock, 'sleep'>) => {
    if (connection.info?.cluster !== undefined) await clock.sleep(propagationMs)
  }
  return {
    settled: async (clock) => {
      await connection.flush()
      await propagated(clock)
    },
    end: async (clock) => {
      await propagated(clock)
      await Promise.allSettled(subscriptions.map((one) => one.drain()))
    },
  }
}

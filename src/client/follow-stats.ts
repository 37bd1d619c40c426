import type {Msg} from 'nats'
import {isFinalSample, type StatsReply, statsReplySchema} from '../../machines/views/stats.ts'
import {TallyError, toErrorBody} from '../kernel/errors.ts'
import type {ContainerClient, TallyClient} from './types.ts'

/** Renewed three times before it lapses. */
const watchMs = 10_000
const renewMs = 3_000

/**
 * What a container uses, now and then once a second. Ends with the sample that says it has stopped, or when it is gone. Each
 * sample is published once for all followers; a slow reader gets the latest, and misses those in between.
 * @throws TallyError CONTAINER_NOT_FOUND when there is none to begin with; NATS_UNREACHABLE when the connection is lost
 */
export async function* followStats(client: TallyClient, container: ContainerClient): AsyncGenerator<StatsReply, void, undefined> {
  const {connection, subjects} = client
  const subscription = connection.subscribe(subjects.stats(container.address))
  // After other failures it is tried again at the next renewal.
  const renew = () => container.stats({watchMs}).catch((error: unknown) => isGone(error) && subscription.unsubscribe())
  const timer = setInterval(renew, renewMs)
  try {
    const first = await container.stats({watchMs})
    yield first
    if (isFinalSample(first)) return
    for await (const message of subscription) {
      const sample = parseSample(message)
      yield sample
      if (isFinalSample(sample)) return
    }
    if (connection.isClosed()) throw new TallyError('NATS_UNREACHABLE', 'the connection to NATS was lost')
  } finally {
    clearInterval(timer)
    subscription.unsubscribe()
  }
}

function isGone(error: unknown): boolean {
  return toErrorBody(error).code === 'CONTAINER_NOT_FOUND'
}

function parseSample(message: Msg): StatsReply {
  return statsReplySchema.parse(message.json())
}

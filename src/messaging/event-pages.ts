/** The stream in pages, for readers of any speed: the next page is requested when the one before was taken, so only one is in memory. */
import {AckPolicy, DeliverPolicy, type NatsConnection, nanos} from 'nats'
import {toConsumerName} from './read-events.ts'
import {type StreamedEvent, toStreamedEvent, toStreamName} from './stream.ts'
import type {Subjects} from './subjects.ts'

export interface PagesOptions {
  /** Place of the event before the first one to be read. */
  readonly after: number
  /** Place of the last event to be read. */
  readonly until: number
  readonly pageEvents: number
}

/** A reader that requests no page for this time has to begin again. */
const inactiveMs = 120_000
const fetchMs = 5_000

/** Ends after `until`. @throws Error when the stream cannot be read on: begin again after the last event that came */
export async function* readEventPages(
  connection: NatsConnection,
  subjects: Subjects,
  {after, until, pageEvents}: PagesOptions,
): AsyncGenerator<readonly StreamedEvent[], void, undefined> {
  const manager = await connection.jetstreamManager({checkAPI: false})
  const stream = toStreamName(subjects)
  const {name, num_pending} = await manager.consumers.add(stream, {
    name: toConsumerName('page'),
    ack_policy: AckPolicy.None,
    filter_subject: subjects.events(),
    inactive_threshold: nanos(inactiveMs),
    mem_storage: true,
    num_replicas: 1,
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: after + 1,
  })
  try {
    const consumer = await connection.jetstream().consumers.get(stream, name)
    let pending = num_pending
    let last = after
    while (pending > 0 && last < until) {
      const page: StreamedEvent[] = []
      const messages = await consumer.fetch({max_messages: Math.min(pageEvents, pending), expires: fetchMs})
      for await (const message of messages) {
        page.push(toStreamedEvent(message))
        pending = message.info.pending
      }
      last = page.at(-1)?.streamSequence ?? Number.NaN
      if (Number.isNaN(last)) throw new Error(`nothing more of stream ${stream} came, and ${pending} events were to come`)
      yield page.filter(({streamSequence}) => streamSequence <= until)
    }
  } finally {
    if (!connection.isClosed()) await manager.consumers.delete(stream, name).catch(() => false)
  }
}

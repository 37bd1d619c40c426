/** The stream in pages, for readers of any speed: the next is asked for when the one before has been taken, and no more is held. */
import {AckPolicy, DeliverPolicy, type NatsConnection, nanos} from 'nats'
import {toConsumerName} from './read-events.ts'
import {type StreamedEvent, toStreamedEvent, toStreamName} from './stream.ts'
import type {Subjects} from './subjects.ts'

export interface PagesOptions {
  /** The first wanted comes after this one. */
  readonly after: number
  /** The last wanted; what is published after it is another's concern. */
  readonly until: number
  readonly pageEvents: number
}

/** A reader that does not ask for so long has to begin anew. */
const inactiveMs = 120_000
const fetchMs = 5_000

/** Ends behind `until`. @throws Error when the stream cannot be read on: begin anew after the last that came */
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

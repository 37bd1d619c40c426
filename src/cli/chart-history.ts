/** The events of one container up to a moment, read from the stream, which also has those of deleted containers. */
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import type {TallyClient} from '../client/client.ts'
import {TallyError} from '../kernel/errors.ts'

/** An event of the container's ledger, or a time. */
export type At = {readonly sequence: number} | {readonly time: Date}

export interface History {
  /** Of one container: of several that have had the id, the last one created by that moment. */
  readonly events: readonly LedgerEvent[]
  /** The stream sequence of the next event. */
  readonly next: number
}

/** @throws TallyError CONTAINER_NOT_FOUND when the stream has no event of it, INVALID_ARGUMENT when it had not reached that moment */
export async function readHistory(
  client: TallyClient,
  {namespace, id}: {readonly namespace: string; readonly id: string},
  at?: At,
): Promise<History> {
  const all: LedgerEvent[] = []
  let next = 1
  for await (const {event, streamSequence} of client.events({filter: {node: client.node, namespace, id}, follow: false})) {
    all.push(event)
    next = streamSequence + 1
  }
  if (all.length === 0) {
    throw new TallyError(
      'CONTAINER_NOT_FOUND',
      `the stream has no event of a container ${id} in namespace ${namespace} on node ${client.node}`,
      {
        details: {node: client.node, namespace, id},
      },
    )
  }
  return {events: toMoment(all, at, id), next}
}

/** @param all events of every container that has had the id, in order. Pure. */
export function toMoment(all: readonly LedgerEvent[], at: At | undefined, id: string): readonly LedgerEvent[] {
  const until = at && 'time' in at ? all.filter(({time}) => Date.parse(time) <= at.time.getTime()) : all
  const uid = until.at(-1)?.uid
  const events = until.filter((event) => event.uid === uid && !(at && 'sequence' in at && event.sequence > at.sequence))
  if (at && 'time' in at && events.length === 0) {
    throw new TallyError(
      'INVALID_ARGUMENT',
      `expected --at to be no earlier than ${all[0]?.time}, when ${id} began, got ${at.time.toISOString()}`,
    )
  }
  if (at && 'sequence' in at && events.at(-1)?.sequence !== at.sequence) {
    throw new TallyError(
      'INVALID_ARGUMENT',
      `expected --at to be 1 to ${all.at(-1)?.sequence}, the latest event of ${id}, got ${at.sequence}`,
    )
  }
  return events
}

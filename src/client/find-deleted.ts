/** A container that is gone, read from the stream: the command was carried out, and its answer was lost. */
import type {ContainerVerb} from '../../machines/commands/commands.ts'
import {toContainerView} from '../../machines/views/container-view.ts'
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import {foldEvents} from '../../machines/ledger/ledger.ts'
import type {ContainerView} from '../../machines/views/view.ts'
import type {StreamedEvent} from '../messaging/stream.ts'

/** The commands that leave an event with our correlation id, and are answered with the container. */
const intents: Partial<Record<ContainerVerb, LedgerEvent['type']>> = {
  delete: 'container.delete-requested',
  stop: 'container.stop-requested',
  kill: 'container.kill-requested',
}

/** @param stream all events of the containers that have had the id */
export async function findDeleted(
  stream: AsyncIterable<StreamedEvent>,
  verb: ContainerVerb,
  correlationId: string,
): Promise<ContainerView | undefined> {
  if (verb !== 'wait' && intents[verb] === undefined) return undefined
  const events: LedgerEvent[] = []
  for await (const {event} of stream) events.push(event)
  // A wait leaves no event: it waited for the last container that had the id.
  const asked = verb === 'wait' ? events.at(-1) : events.findLast(isAsked)
  const own = events.filter(({uid}) => uid === asked?.uid)
  const hasEnded = own.at(-1)?.type === 'container.deleted' && (verb !== 'wait' || own.some(({type}) => type === 'container.exited'))
  return hasEnded ? toContainerView(foldEvents(own)) : undefined

  function isAsked(event: LedgerEvent): boolean {
    return event.type === intents[verb] && event.correlationId === correlationId
  }
}

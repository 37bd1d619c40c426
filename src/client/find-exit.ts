import type {ProcessExit} from '../../machines/ledger/process-exit.ts'
import type {ContainerView} from '../../machines/views/view.ts'
import type {TallyClient} from './types.ts'

/** How a container ended, according to the stream, also when the container is gone; undefined when the stream has no exit of it. */
export async function findExit(client: TallyClient, {node, namespace, id, uid}: ContainerView): Promise<ProcessExit | undefined> {
  for await (const {event} of client.events({filter: {node, namespace, id, type: 'container.exited'}, follow: false})) {
    if (event.type === 'container.exited' && event.uid === uid) return event.data.exit
  }
  return undefined
}

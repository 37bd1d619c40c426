import type {ContainerView} from '../../machines/views/view.ts'
import {fitView} from '../messaging/fit-view.ts'
import type {Endpoint} from '../messaging/services.ts'

/** A container is shown with as many of its added processes as fit into the reply: the rest can be requested. */
export function fitToMessage(handle: Endpoint['handle']): Endpoint['handle'] {
  return async (bytes, origin, message) => {
    const reply = await handle(bytes, origin, message)
    return isContainerView(reply) ? fitView(reply, message.room) : reply
  }
}

/** Among the replies of commands. */
function isContainerView(reply: unknown): reply is ContainerView {
  return typeof reply === 'object' && reply !== null && 'eventCount' in reply
}

import type {ContainerView} from '../../../machines/views/view.ts'
import {fitView} from '../../messaging/fit-view.ts'
import type {Endpoint} from '../../messaging/services.ts'

/** A container is shown with as many of the processes that were added to it as have room: the rest can be asked for. */
export function fitToMessage(handle: Endpoint['handle']): Endpoint['handle'] {
  return async (bytes, origin, message) => {
    const reply = await handle(bytes, origin, message)
    return isContainerView(reply) ? fitView(reply, message.room) : reply
  }
}

/** Of what a command answers with. */
function isContainerView(reply: unknown): reply is ContainerView {
  return typeof reply === 'object' && reply !== null && 'eventCount' in reply
}

/** Replies that show the container, or one of its added processes, when the stream has the event that they show. */
import type {Ledger} from '../../../machines/ledger/ledger.ts'
import type {ContainerView, ProcessView} from '../../../machines/views/view.ts'
import type {Outbox} from '../../messaging/outbox.ts'
import {toView} from './replies.ts'

/** How long a reply waits for the stream, so that a client can read its own writes there; the journal has them anyway. */
const publicationPatienceMs = 1_000

export type ToPublishedView = (ledger: Ledger, exec?: string) => Promise<ContainerView | ProcessView>

export function createToPublishedView(outbox: Pick<Outbox, 'whenAcknowledged'>): ToPublishedView {
  return async (ledger, exec) => {
    await outbox.whenAcknowledged(ledger.latest?.sequence ?? 0, publicationPatienceMs)
    return toView(ledger, exec)
  }
}

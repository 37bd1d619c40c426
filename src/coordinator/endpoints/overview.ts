/** All containers of the stream at one place of it, for the pages. */
import {toContainerView} from '../../../machines/views/container-view.ts'
import type {ContainerView} from '../../../machines/views/view.ts'
import type {NatsLink} from '../../messaging/link.ts'
import type {Projection} from '../ledgers/projection.ts'

export interface Overview {
  /** It has all events up to this one, and none after it. */
  readonly streamSequence: number
  readonly containers: readonly ContainerView[]
}

/** @param options `deleted`: with those that were deleted last. Without a connection to NATS it is what was read before. */
export async function readOverview(
  projection: Projection,
  link: Pick<NatsLink, 'session'>,
  {deleted}: {readonly deleted: boolean},
): Promise<Overview> {
  const connection = link.session()
  if (connection) await projection.caughtUp(connection).catch(() => {})
  // Nothing is folded while these are read.
  const live = [...projection.ledgers.values()].flatMap((ledger) => toContainerView(ledger) ?? [])
  return {streamSequence: projection.streamSequence, containers: deleted ? [...live, ...projection.deleted.values()] : live}
}

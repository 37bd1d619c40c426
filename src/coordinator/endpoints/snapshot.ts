/** All containers of the stream at one place of it, for the pages. */
import {toContainerView} from '../../../machines/views/container-view.ts'
import type {ContainerView} from '../../../machines/views/view.ts'
import type {NatsLink} from '../../messaging/link.ts'
import type {Projection} from '../ledgers/projection.ts'

export interface Overview {
  /** Every event up to this one is in it, and none after. */
  readonly streamSequence: number
  readonly containers: readonly ContainerView[]
}

/** @param options `deleted`: those too that were deleted last. While NATS is away: as it was. */
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

import type {LedgerEvent} from '../../../machines/ledger/events.ts'
import type {ContainerAddress} from '../../../machines/ledger/ids.ts'
import type {TallyClient} from '../../client/client.ts'
import {readStreamState} from '../../messaging/stream.ts'

/**
 * All events of one container that the stream has up to `streamSequence`, those of a deleted one as well; none when it has none.
 * @param uid which of those that have had this address; the latest unless told
 */
export async function readLedger(
  client: TallyClient,
  address: ContainerAddress,
  uid: string | undefined,
): Promise<{readonly streamSequence: number; readonly events: readonly LedgerEvent[]}> {
  const {lastSequence: end} = await readStreamState(client.connection, client.subjects)
  let events: LedgerEvent[] = []
  for await (const {event, streamSequence} of client.events({filter: address, follow: false})) {
    if (streamSequence > end) break
    if (uid !== undefined && event.uid !== uid) continue
    // Another container under the same id: what was before is not its own.
    if (uid === undefined && event.uid !== events[0]?.uid) events = []
    events.push(event)
  }
  return {streamSequence: end, events}
}

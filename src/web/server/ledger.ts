import type {LedgerEvent} from '../../../machines/ledger/events.ts'
import type {ContainerAddress} from '../../../machines/ledger/ids.ts'
import type {TallyClient} from '../../client/client.ts'
import {readStreamState} from '../../messaging/stream.ts'

/**
 * All events that the stream has of one container, deleted or not, up to `streamSequence`.
 * @param uid which of the containers that have had this address; the latest when absent
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
    // Another container with the same id: the events before are not its own.
    if (uid === undefined && event.uid !== events[0]?.uid) events = []
    events.push(event)
  }
  return {streamSequence: end, events}
}

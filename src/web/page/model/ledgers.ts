/**
 * Ledgers of containers, folded in the browser. Until the first event of a container arrives, its view from the node is enough; then its
 * whole ledger is requested once, and further events are folded into it.
 */
import {parseLedgerEvent} from '../../../../machines/ledger/cloud-event.ts'
import type {LedgerEvent} from '../../../../machines/ledger/events.ts'
import {type ContainerAddress, parseSource} from '../../../../machines/ledger/ids.ts'
import {applyEvent, emptyLedger, foldEvents, type Ledger} from '../../../../machines/ledger/ledger.ts'
import {getJson} from '../api/http.ts'
import {containerPath} from '../api/paths.ts'
import {eventsReplySchema} from '../api/replies.ts'

export async function fetchEvents(address: ContainerAddress, uid?: string, signal?: AbortSignal): Promise<readonly LedgerEvent[]> {
  const query = uid === undefined ? '' : `?uid=${encodeURIComponent(uid)}`
  const {events} = await getJson(containerPath(address, `/events${query}`), eventsReplySchema, signal)
  return events.map((event) => parseLedgerEvent(JSON.stringify(event)))
}

export interface Ledgers {
  get(uid: string): Ledger | undefined
  apply(event: LedgerEvent): void
  clear(): void
}

/** @param onChange may be called after `apply` has returned */
export function createLedgers(onChange: (ledger: Ledger) => void): Ledgers {
  const ledgers = new Map<string, Ledger>()
  const waiting = new Map<string, LedgerEvent[]>()
  return {
    get: (uid) => ledgers.get(uid),
    apply,
    clear: () => {
      ledgers.clear()
      waiting.clear()
    },
  }

  function apply(event: LedgerEvent): void {
    const queue = waiting.get(event.uid)
    if (queue) {
      queue.push(event)
      return
    }
    const ledger = ledgers.get(event.uid) ?? emptyLedger
    const known = ledger.latest?.sequence ?? 0
    if (event.sequence <= known) return
    if (event.sequence === known + 1) keep(applyEvent(ledger, event).ledger)
    else void fetchWhole(event)
  }

  async function fetchWhole(event: LedgerEvent): Promise<void> {
    const address = parseSource(event.source)
    if (!address) return
    const queue: LedgerEvent[] = [event]
    waiting.set(event.uid, queue)
    try {
      const ledger = foldEvents(await fetchEvents(address, event.uid))
      waiting.delete(event.uid)
      keep(ledger)
      queue.forEach(apply)
    } catch {
      // Retried with the next event of the container; until then its view stays as it was.
      waiting.delete(event.uid)
    }
  }

  function keep(ledger: Ledger): void {
    if (!ledger.latest) return
    ledgers.set(ledger.latest.uid, ledger)
    onChange(ledger)
  }
}

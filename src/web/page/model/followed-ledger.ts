/** The complete ledger of the container that the page shows; new events are appended. */
import {type ReadonlySignal, signal} from '@preact/signals'
import type {Failure, LedgerEvent} from '../../../../machines/ledger/events.ts'
import {type ContainerAddress, toSource} from '../../../../machines/ledger/ids.ts'
import {isNotFound, toFailure} from '../api/http.ts'
import {listenToFeed} from './feed.ts'
import {fetchEvents} from './ledgers.ts'
import {createTimeline, type Timeline} from './timeline.ts'

export type LedgerState = {readonly type: 'loading' | 'missing'} | {readonly type: 'failed'; readonly failure: Failure} | LoadedLedger

export interface LoadedLedger {
  readonly type: 'open'
  readonly uid: string
  readonly timeline: Timeline
}

export interface FollowedLedger extends Disposable {
  readonly state: ReadonlySignal<LedgerState>
  reload(): Promise<void>
}

/** @param uid by default the latest container with that address */
export function followLedger(address: ContainerAddress, uid?: string): FollowedLedger {
  const state = signal<LedgerState>({type: 'loading'})
  const abort = new AbortController()
  /** Events that arrive during the request for the whole ledger; the response may lack them. */
  let received: LedgerEvent[] = []
  const end = listenToFeed((all) => {
    const events = all.map(({event}) => event)
    if (state.value.type === 'open') append(state.value, events)
    else received.push(...events.filter(({source}) => source === toSource(address)))
  })
  void reload()
  return {
    state,
    reload,
    [Symbol.dispose]: () => {
      abort.abort()
      end()
    },
  }

  function append(loaded: LoadedLedger, events: readonly LedgerEvent[]): void {
    const known = loaded.timeline.events.length
    const mine = events.filter((event) => event.uid === loaded.uid && event.sequence > known)
    const [next] = mine
    state.value = next?.sequence === known + 1 ? {...loaded, timeline: loaded.timeline.append(mine)} : loaded
    if (next && next.sequence > known + 1) void reload()
  }

  async function reload(): Promise<void> {
    try {
      const events = await fetchEvents(address, uid, abort.signal)
      const [first] = events
      const early = received
      received = []
      if (!first) state.value = {type: 'missing'}
      else append({type: 'open', uid: first.uid, timeline: createTimeline(events)}, early)
    } catch (error) {
      if (abort.signal.aborted) return
      state.value = isNotFound(error) ? {type: 'missing'} : {type: 'failed', failure: toFailure(error)}
    }
  }
}

/** Every event of every container, from a place in the stream on, without gaps and in order. There is one feed for the whole page. */
import {signal} from '@preact/signals'
import {parseLedgerEvent} from '../../../../machines/ledger/cloud-event.ts'
import type {LedgerEvent} from '../../../../machines/ledger/events.ts'
import {followServerEvents, type StreamState} from '../api/server-events.ts'
import {createFrameBatch} from './frame-batch.ts'

export interface ReceivedEvent {
  readonly event: LedgerEvent
  /** The sequence of the event in the stream. */
  readonly streamSequence: number
}
type Listener = (received: readonly ReceivedEvent[]) => void

/** The node has sent an event that this page does not know: the page is older than the node. */
export const isOutdated = signal(false)
export const feedState = signal<StreamState>('connecting')
const listeners = new Set<Listener>()
type Feed = {readonly type: 'stopped'} | {readonly type: 'following'; readonly connection: Disposable}
let feed: Feed = {type: 'stopped'}

/** @param onReset the stream is another one: what was received before no longer applies */
export function startFeed(after: number, onReset: () => void): void {
  stopFeed()
  const take = createFrameBatch<ReceivedEvent>((received) => {
    for (const listener of listeners) listener(received)
  })
  const connection = followServerEvents((lastId) => `/api/events?after=${lastId || after}`, {
    onData: (data, id) => {
      const event = parse(data)
      if (event) take({event, streamSequence: Number.parseInt(id, 10)})
    },
    onState: (state) => {
      feedState.value = state
    },
    named: {reset: onReset},
  })
  feed = {type: 'following', connection}
}

export function stopFeed(): void {
  if (feed.type === 'following') feed.connection[Symbol.dispose]()
  feed = {type: 'stopped'}
}

/** @returns a function that stops listening */
export function listenToFeed(listener: Listener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

function parse(data: string): LedgerEvent | undefined {
  try {
    return parseLedgerEvent(data)
  } catch {
    isOutdated.value = true
    return undefined
  }
}

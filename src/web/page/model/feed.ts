/** Every event of every container, from a place in the stream on, without gap and in order. One for the whole page. */
import {signal} from '@preact/signals'
import {parseLedgerEvent} from '../../../../machines/ledger/cloud-event.ts'
import type {LedgerEvent} from '../../../../machines/ledger/events.ts'
import {followServerEvents, type StreamState} from '../api/server-events.ts'
import {createFrameBatch} from './frame-batch.ts'

export interface Heard {
  readonly event: LedgerEvent
  /** Its place in the stream. */
  readonly streamSequence: number
}
type Listener = (heard: readonly Heard[]) => void

/** The node tells of what this page, an older one, has no words for. */
export const isOutdated = signal(false)
export const feedState = signal<StreamState>('connecting')
const listeners = new Set<Listener>()
let connection: Disposable | undefined

/** @param onReset the stream has been made anew: what is known is of no use */
export function startFeed(after: number, onReset: () => void): void {
  connection?.[Symbol.dispose]()
  const take = createFrameBatch<Heard>((heard) => {
    for (const listener of listeners) listener(heard)
  })
  connection = followServerEvents((lastId) => `/api/events?after=${lastId || after}`, {
    onData: (data, id) => {
      const event = parse(data)
      if (event) take({event, streamSequence: Number.parseInt(id, 10)})
    },
    onState: (state) => {
      feedState.value = state
    },
    named: {reset: onReset},
  })
}

export function stopFeed(): void {
  connection?.[Symbol.dispose]()
  connection = undefined
}

/** @returns ends it */
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

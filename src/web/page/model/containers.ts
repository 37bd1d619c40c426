/** All containers that the page shows. Each is a signal of its own, so that an event redraws one row only. */
import {batch, type Signal, signal} from '@preact/signals'
import type * as z from 'zod'
import {toContainerView} from '../../../../machines/views/container-view.ts'
import type {Failure, LedgerEvent} from '../../../../machines/ledger/events.ts'
import type {ContainerAddress} from '../../../../machines/ledger/ids.ts'
import type {ContainerView} from '../../../../machines/views/view.ts'
import {getJson, isSignedOut, toFailure} from '../api/http.ts'
import {containersReplySchema, nodeReplySchema} from '../api/replies.ts'
import {feedState, listenToFeed, startFeed, stopFeed} from './feed.ts'
import {createLedgers} from './ledgers.ts'

export type LoadState = {readonly type: 'loading' | 'ready' | 'signed-out'} | {readonly type: 'failed'; readonly failure: Failure}

export const loadState = signal<LoadState>({type: 'loading'})
export const nodeInfo = signal<z.infer<typeof nodeReplySchema>['info'] | undefined>(undefined)
/** Uids, in the order in which the page learned of them. */
export const containerUids = signal<readonly string[]>([])
/** The newest events of all containers, newest first. */
export const recentEvents = signal<readonly LedgerEvent[]>([])
/** Whether deleted containers are listed as well. */
export const showsDeleted = signal(false)

/** Counts how often the event stream was replaced by a new one: data of the old stream is then read again. */
export const generation = signal(0)

const keptEvents = 40
const retryMs = 2_000
/** Events up to this one are part of the views already; they only appear among the recent events. */
let snapshotSequence = 0
const views = new Map<string, Signal<ContainerView>>()
const ledgers = createLedgers((ledger) => {
  const view = toContainerView(ledger)
  if (view) keep(view)
})

/** Undefined for a deleted container, unless deleted containers are shown. */
export function findView(uid: string): Signal<ContainerView> | undefined {
  return views.get(uid)
}

/** A container that has the same address as `uid`, created after that one was deleted. */
export function findNamesake({node, namespace, id}: ContainerAddress, uid: string): ContainerView | undefined {
  const all = containerUids.value.flatMap((known) => findView(known)?.value ?? [])
  return all.find(
    (view) => view.id === id && view.namespace === namespace && view.node === node && view.uid !== uid && view.state !== 'deleted',
  )
}

/** Reads all containers, then follows their events. Can be called again to reload everything. */
export async function loadContainers(): Promise<void> {
  try {
    const query = showsDeleted.value ? '?deleted=1' : ''
    const [node, {containers, streamSequence}] = await Promise.all([
      getJson('/api/node', nodeReplySchema),
      getJson(`/api/containers${query}`, containersReplySchema),
    ])
    batch(() => {
      nodeInfo.value = node.info
      views.clear()
      ledgers.clear()
      for (const view of containers) views.set(view.uid, signal(view))
      containerUids.value = [...views.keys()]
      recentEvents.value = []
      loadState.value = {type: 'ready'}
    })
    snapshotSequence = streamSequence
    startFeed(Math.max(0, streamSequence - keptEvents), () => {
      generation.value++
      void loadContainers()
    })
  } catch (error) {
    stopFeed()
    loadState.value = isSignedOut(error) ? {type: 'signed-out'} : {type: 'failed', failure: toFailure(error)}
    if (!isSignedOut(error)) setTimeout(() => void loadContainers(), retryMs)
  }
}

export function setShowsDeleted(value: boolean): void {
  showsDeleted.value = value
  void loadContainers()
}

listenToFeed((received) =>
  batch(() => {
    const events = received.map(({event}) => event)
    for (const {event, streamSequence} of received) if (streamSequence > snapshotSequence) ledgers.apply(event)
    recentEvents.value = [...events.toReversed(), ...recentEvents.value].slice(0, keptEvents)
  }),
)

/** An expired session looks like a lost connection to an EventSource: a request tells them apart. */
feedState.subscribe((state) => {
  if (state !== 'lost') return
  getJson('/api/node', nodeReplySchema).catch((error: unknown) => {
    if (isSignedOut(error)) loadState.value = {type: 'signed-out'}
  })
})

function keep(view: ContainerView): void {
  const known = views.get(view.uid)
  if (view.state === 'deleted' && !showsDeleted.value) {
    if (views.delete(view.uid)) containerUids.value = [...views.keys()]
    return
  }
  if (known) known.value = view
  else {
    views.set(view.uid, signal(view))
    containerUids.value = [...views.keys()]
  }
}

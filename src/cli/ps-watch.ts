/**
 * The table of containers, drawn again as events arrive. Each time the list is requested from the coordinator, at most four times a second.
 * Between changes only the ages of the containers change.
 */
import {setTimeout as sleep} from 'node:timers/promises'
import type {ContainerView} from '../../machines/views/view.ts'
import type {TallyClient} from '../client/client.ts'
import {TallyError, toErrorBody} from '../kernel/errors.ts'
import {lastStreamSequence} from '../messaging/stream.ts'
import {type ScreenSize, withLiveScreen} from './live-screen.ts'
import type {NodeOptions} from './node-options.ts'
import {listNewestFirst, toContainerTable} from './ps-table.ts'
import {withReconnect} from './reconnect.ts'
import {createWakeUp} from './wake-up.ts'

export interface WatchOptions {
  readonly client: TallyClient
  readonly options: NodeOptions
  readonly all: boolean
  readonly allNamespaces: boolean
}

/** What is known of the containers. After a failure the last list stays. */
type Listing =
  | {readonly type: 'unread'}
  | {readonly type: 'listed'; readonly views: readonly ContainerView[]}
  | {readonly type: 'failed'; readonly views: readonly ContainerView[]; readonly problem: string}

const refreshMs = 250
const ageMs = 1_000
const retryMs = 1_000

/** Ends when the user quits; when stdout is not a terminal, by a signal only. */
export async function watchContainers({client, options, all, allNamespaces}: WatchOptions): Promise<void> {
  let listing: Listing = {type: 'unread'}
  await withLiveScreen(render, async (draw) => {
    // Where each table is printed after the one before, a change of the ages alone is not worth another one.
    const ticker = process.stdout.isTTY ? setInterval(draw, ageMs) : undefined
    try {
      await withReconnect(client, async () => {
        await refreshAfterEvents(draw)
        throw new TallyError('NATS_UNREACHABLE', 'the connection to NATS was lost')
      })
    } finally {
      clearInterval(ticker)
    }
  })

  /** Subscribes before it lists, so that no change is missed. Several events at once lead to one list. */
  async function refreshAfterEvents(draw: () => void): Promise<void> {
    const change = createWakeUp()
    const filter = {node: client.node, ...(!allNamespaces && {namespace: options.namespace})}
    const from = {streamSequence: (await lastStreamSequence(client.connection, client.subjects)) + 1}
    const followed = (async () => {
      for await (const _ of client.events({filter, follow: true, from})) change.notify()
    })().finally(() => change.end())
    // Awaited below, after the loop.
    followed.catch(() => {})
    while ((await change.next()) === 'notified') {
      listing = await list()
      draw()
      if (listing.type === 'failed') change.notify()
      await sleep(listing.type === 'failed' ? retryMs : refreshMs)
    }
    await followed
  }

  async function list(): Promise<Listing> {
    try {
      return {type: 'listed', views: await listNewestFirst(client, {all, namespace: allNamespaces ? undefined : options.namespace})}
    } catch (error) {
      if (client.connection.isClosed()) throw error
      return {type: 'failed', views: toViews(listing), problem: toErrorBody(error).message}
    }
  }

  function render(size: ScreenSize | undefined): string {
    if (listing.type === 'unread') return ''
    const {views} = listing
    const table = toContainerTable(views, allNamespaces, Date.now())
    const problem = listing.type === 'failed' ? listing.problem : undefined
    return toScreen(table, {size, node: client.node, count: views.length, problem})
  }
}

function toViews(listing: Listing): readonly ContainerView[] {
  return listing.type === 'unread' ? [] : listing.views
}

interface ScreenOptions {
  readonly size: ScreenSize | undefined
  readonly node: string
  readonly count: number
  readonly problem: string | undefined
}

/** The table, cut to the window, with a line that counts the containers that are not shown. Pure. */
export function toScreen(table: string, {size, node, count, problem}: ScreenOptions): string {
  const [head = '', ...rows] = table.split('\n')
  const title = `${node}: ${count} ${count === 1 ? 'container' : 'containers'}${problem === undefined ? '' : `; ${problem}`}`
  if (!size) return [title, head, ...rows, ''].join('\n')
  const room = Math.max(1, size.rows - 2)
  const isCut = rows.length > room
  const shown = rows.slice(0, isCut ? room - 1 : room)
  const more = isCut ? [`… and ${rows.length - shown.length} more`] : []
  return [title, head, ...shown, ...more].map((line) => [...line].slice(0, size.columns).join('')).join('\n')
}

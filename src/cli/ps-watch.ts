/**
 * The table of containers, drawn again as events arrive. The list is asked for anew, a few times a second at most, since what it
 * shows is the coordinator's to say; between changes only the ages move.
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

export interface WatchOptions {
  readonly client: TallyClient
  readonly options: NodeOptions
  readonly all: boolean
  readonly allNamespaces: boolean
}

const refreshMs = 250
const ageMs = 1_000
const retryMs = 1_000

/** Ends when whoever looks has seen enough; where there is no terminal, with a signal. */
export async function watchContainers({client, options, all, allNamespaces}: WatchOptions): Promise<void> {
  let views: readonly ContainerView[] | undefined
  let problem: string | undefined
  await withLiveScreen(render, async (draw) => {
    // Where each table is printed behind the one before, ages alone are no news.
    const ticker = process.stdout.isTTY ? setInterval(draw, ageMs) : undefined
    try {
      await withReconnect(client, async () => {
        await refreshWithEvents(draw)
        throw new TallyError('NATS_UNREACHABLE', 'the connection to NATS was lost')
      })
    } finally {
      clearInterval(ticker)
    }
  })

  /** Follows before it lists, so that no change falls between. Several events at once are one change. */
  async function refreshWithEvents(draw: () => void): Promise<void> {
    let isStale = true
    let wake = () => {}
    const filter = {node: client.node, ...(!allNamespaces && {namespace: options.namespace})}
    const from = {streamSequence: (await lastStreamSequence(client.connection, client.subjects)) + 1}
    const followed = (async () => {
      for await (const _ of client.events({filter, follow: true, from})) {
        isStale = true
        wake()
      }
    })()
    let isFollowing = true
    const ended = followed.finally(() => {
      isFollowing = false
      wake()
    })
    ended.catch(() => {})
    while (isFollowing) {
      if (isStale) {
        isStale = false
        await refresh()
        if (problem !== undefined) isStale = true
        draw()
        await sleep(problem === undefined ? refreshMs : retryMs)
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve
          if (isStale || !isFollowing) resolve()
        })
      }
    }
    await ended
  }

  /** Without a coordinator what was known stays, and it is said. */
  async function refresh(): Promise<void> {
    try {
      views = await listNewestFirst(client, {all, namespace: allNamespaces ? undefined : options.namespace})
      problem = undefined
    } catch (error) {
      if (client.connection.isClosed()) throw error
      problem = toErrorBody(error).message
    }
  }

  function render(size: ScreenSize | undefined): string {
    if (!views && problem === undefined) return ''
    const table = toContainerTable(views ?? [], allNamespaces, Date.now())
    return toScreen(table, {size, node: client.node, count: views?.length ?? 0, problem})
  }
}

interface ScreenOptions {
  readonly size: ScreenSize | undefined
  readonly node: string
  readonly count: number
  readonly problem: string | undefined
}

/** Cut to the window, and says what it left out. Pure. */
export function toScreen(table: string, {size, node, count, problem}: ScreenOptions): string {
  const [head = '', ...rows] = table.split('\n')
  const title = `${node}: ${count} ${count === 1 ? 'container' : 'containers'}${problem === undefined ? '' : `; ${problem}`}`
  if (!size) return [title, head, ...rows, ''].join('\n')
  const room = Math.max(1, size.rows - 2)
  const isCut = rows.length > room
  const shown = rows.slice(0, isCut ? room - 1 : room)
  const left = isCut ? [`… and ${rows.length - shown.length} more`] : []
  return [title, head, ...shown, ...left].map((line) => [...line].slice(0, size.columns).join('')).join('\n')
}

/**
 * What running containers use, while there are listeners. Each container is requested and subscribed to once for all of them. A slow
 * listener gets the newest sample of each container, not all samples.
 */
import {setTimeout as sleep} from 'node:timers/promises'
import type {NatsConnection, Subscription} from 'nats'
import {type ContainerAddress, toSource} from '../../../machines/ledger/ids.ts'
import {isFinalSample, type StatsReply, statsReplySchema} from '../../../machines/views/stats.ts'
import type {ContainerView} from '../../../machines/views/view.ts'
import {type Backend, toClient} from './backend.ts'
import {createNotifier} from './notifier.ts'
import {formatEvent} from './server-sent-events.ts'

export interface StatsFeed {
  follow(signal: AbortSignal): AsyncGenerator<string, void, undefined>
}

interface Watched {
  readonly subscription: Subscription
  readonly askedAtMs: number
}

/** Samples continue for so long after the last request. */
const watchMs = 15_000
const renewMs = 5_000
/** How often containers that have started meanwhile are looked for. */
const lookMs = 1_000
const gatherMs = 50
const actor = 'pages'

export function createStatsFeed(backend: Backend): StatsFeed {
  const {link, subjects, readOverview, clock, logger} = backend
  const notifier = createNotifier()
  /** For each listener: the newest sample of each container that was not sent to it yet. */
  const listeners = new Set<Map<string, string>>()
  const watched = new Map<string, Watched>()
  let watching = false
  let subscribedOn: NatsConnection | undefined

  return {follow}

  async function* follow(signal: AbortSignal): AsyncGenerator<string, void, undefined> {
    const fresh = new Map<string, string>()
    listeners.add(fresh)
    if (!watching) void watch()
    try {
      while (!signal.aborted) {
        if (fresh.size === 0) await notifier.wait(signal, lookMs)
        await sleep(gatherMs)
        const text = [...fresh.values()].join('')
        fresh.clear()
        if (text !== '') yield text
      }
    } finally {
      listeners.delete(fresh)
    }
  }

  /** Until there are no listeners. */
  async function watch(): Promise<void> {
    watching = true
    for (; listeners.size > 0; await clock.sleep(lookMs)) {
      try {
        await look()
      } catch (error) {
        logger.debug({err: error}, 'cannot ask for samples')
      }
    }
    forgetAllBut(new Set())
    watching = false
  }

  async function look(): Promise<void> {
    const connection = link.session()
    if (!connection) return
    // Subscriptions end with their connection.
    if (connection !== subscribedOn) watched.clear()
    subscribedOn = connection
    const {containers} = await readOverview({deleted: false})
    const running = containers.filter((view) => !isFinalSample(view))
    forgetAllBut(new Set(running.map(toSource)))
    for (const view of running) renew(connection, view)
  }

  function forgetAllBut(sources: ReadonlySet<string>): void {
    for (const [source, {subscription}] of watched) {
      if (sources.has(source)) continue
      subscription.unsubscribe()
      watched.delete(source)
    }
  }

  function renew(connection: NatsConnection, {node, namespace, id}: ContainerView): void {
    const address = {node, namespace, id}
    const source = toSource(address)
    const known = watched.get(source)
    if (known && clock.elapsed() < known.askedAtMs + renewMs) return
    watched.set(source, {subscription: known?.subscription ?? subscribe(connection, address), askedAtMs: clock.elapsed()})
    // A container that has just ended has no sample; any other failure is retried with the next renewal.
    ask(address).catch((error: unknown) => logger.debug({err: error, source}, 'no sample'))
  }

  function subscribe(connection: NatsConnection, address: ContainerAddress): Subscription {
    return connection.subscribe(subjects.stats(address), {
      callback: (error, message) => {
        const sample = error ? undefined : statsReplySchema.safeParse(parseJson(message.string()))
        if (sample?.success) deliver(address, sample.data)
      },
    })
  }

  async function ask(address: ContainerAddress): Promise<void> {
    const client = await toClient(backend, {actor}, address.node)
    deliver(address, await client.container(address.id, address.namespace).stats({watchMs}))
  }

  function deliver(address: ContainerAddress, sample: StatsReply): void {
    const text = formatEvent({data: {...address, ...sample}})
    for (const fresh of listeners) fresh.set(toSource(address), text)
    notifier.notify()
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Any client may publish on this subject.
    return undefined
  }
}

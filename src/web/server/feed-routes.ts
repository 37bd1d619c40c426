/** Server-sent events: the events of the ledger, samples and log lines, from now on. */
import type {Context} from 'hono'
import * as z from 'zod'
import {idSchema} from '../../../machines/ledger/ids.ts'
import {createNamedReader} from '../../client/watched.ts'
import type {App, AppEnvironment} from './app-environment.ts'
import {type Backend, toClient} from './backend.ts'
import {createEventFeed} from './event-feed.ts'
import {placeSchema} from './feed-place.ts'
import {followLog} from './log-feed.ts'
import {createLogSource} from './log-source.ts'
import {addressPath, countSchema, parseAddress, parseFields} from './read-routes.ts'
import {type EventSource, toEventStream} from './server-sent-events.ts'
import {createStatsFeed} from './stats-feed.ts'

const eventsQuery = z.object({after: placeSchema.default({streamSequence: 0, storedAtMs: undefined})})
const followQuery = z.object({position: countSchema.default(0), exec: idSchema.optional()})

export function addFeedRoutes(app: App, backend: Backend): void {
  const events = createEventFeed(backend)
  const stats = createStatsFeed(backend)
  app.get('/api/events', (context) => {
    const {after} = parseFields(eventsQuery, {...context.req.query(), ...lastId(context, 'after')})
    return respond(context, (signal) => events.follow(after, signal))
  })
  app.get('/api/stats', (context) => respond(context, (signal) => stats.follow(signal)))
  app.get(`${addressPath}/log/follow`, async (context) => {
    const {node, namespace, id} = parseAddress(context.req.param())
    const {position, exec} = parseFields(followQuery, {...context.req.query(), ...lastId(context, 'position')})
    const session = context.get('session')
    const reader = createNamedReader()
    const connect = async () => createLogSource(await toClient(backend, session, node), reader, {id, namespace, exec})
    // If the log cannot be read at all, the response is an error and not an empty stream.
    await (await connect()).read({tail: 0})
    return respond(context, (signal) => followLog({connect, position, clock: backend.clock}, signal))
  })

  function respond(context: Context<AppEnvironment>, source: EventSource): Response {
    const {outgoing} = context.env
    const body = toEventStream(source, {clock: backend.clock, onStalled: () => outgoing.destroy()})
    return context.body(body, 200, {'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no'})
  }
}

/** The last message that a browser received before it reconnected. It replaces the query, which is still that of the first connection. */
function lastId(context: Context<AppEnvironment>, name: 'after' | 'position'): Readonly<Record<string, string>> {
  const id = context.req.header('Last-Event-ID')
  return id ? {[name]: id} : {}
}

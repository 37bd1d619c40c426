/** The HTTP interface of a node: which requests are let in, and what answers them. docs/http.md describes it. */
import type {App} from './app-environment.ts'
import type {IncomingMessage, ServerResponse} from 'node:http'
import {getRequestListener} from '@hono/node-server'
import {Hono} from 'hono'
import {TallyError} from '../../kernel/errors.ts'
import type {Backend} from './backend.ts'
import {addCommandRoutes} from './command-routes.ts'
import {addFeedRoutes} from './feed-routes.ts'
import {checkFetchSite, checkHost, checkOrigin} from './guard.ts'
import {toHttpError} from './http-errors.ts'
import type {HttpHandlers} from './listen.ts'
import {addLoginRoutes} from './login-routes.ts'
import {addMetricsRoutes} from './metrics-routes.ts'
import {addPageRoutes} from './page-routes.ts'
import {addReadRoutes} from './read-routes.ts'
import {readSession} from './read-session.ts'
import {toSecurityHeaders} from './security-headers.ts'
import {createTerminals} from './terminals.ts'

export function createApp(backend: Backend): HttpHandlers {
  const app: App = new Hono()
  app.use(async (context, next) => {
    await next()
    for (const [name, value] of Object.entries(toSecurityHeaders(context.get('host')))) context.res.headers.set(name, value)
  })
  app.use(async (context, next) => {
    const {headers, socket} = context.env.incoming
    context.set('host', checkHost(headers, socket.localAddress))
    if (!isReading(context.req.method)) checkOrigin(headers)
    await next()
  })
  app.use('/api/*', async (context, next) => {
    const {headers} = context.env.incoming
    checkFetchSite(headers)
    context.set('session', readSession(backend.sessions, headers))
    await next()
    if (!context.res.headers.has('Cache-Control')) context.res.headers.set('Cache-Control', 'no-store')
  })
  addLoginRoutes(app, backend)
  addMetricsRoutes(app, backend)
  addReadRoutes(app, backend)
  addFeedRoutes(app, backend)
  addCommandRoutes(app, backend)
  addPageRoutes(app, backend)
  app.notFound((context) => {
    const {body} = toHttpError(new TallyError('INVALID_REQUEST', `there is no ${context.req.method} ${context.req.path}`))
    return context.json(body, 404)
  })
  app.onError((error, context) => {
    const {status, body} = toHttpError(error)
    if (body.kind === 'bug') backend.logger.error({err: error, path: context.req.path}, 'an HTTP request failed by a fault of ours')
    return context.json(body, status)
  })
  const listener = getRequestListener(app.fetch, {overrideGlobalObjects: false, errorHandler: refuseMalformed})
  const terminals = createTerminals(backend)
  return {
    request: (incoming: IncomingMessage, outgoing: ServerResponse) => listener(incoming, outgoing),
    upgrade: terminals.upgrade,
    settled: terminals.settled,
  }
}

/** A request that cannot be parsed never reaches the routes. */
function refuseMalformed(error: unknown): Response {
  const why = error instanceof Error ? error.message : String(error)
  const {status, body} = toHttpError(new TallyError('INVALID_REQUEST', `expected an HTTP request: ${why}`, {cause: error}))
  return Response.json(body, {status, headers: toSecurityHeaders(undefined)})
}

function isReading(method: string): boolean {
  return method === 'GET' || method === 'HEAD'
}

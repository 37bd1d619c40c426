/** For monitoring: whether the node is healthy, and its metrics. */
import {createHash, timingSafeEqual} from 'node:crypto'
import type {App} from './app-environment.ts'
import {type Backend, toConnection} from './backend.ts'
import {readSession} from './read-session.ts'

type Dependencies = Pick<Backend, 'clock' | 'link' | 'metricsToken' | 'renderMetrics' | 'sessions'>

export function addMetricsRoutes(app: App, backend: Dependencies): void {
  const {metricsToken, renderMetrics, sessions} = backend
  app.get('/healthz', async (context) => {
    const isOk = (await toConnection(backend)) !== undefined
    context.header('Cache-Control', 'no-store')
    return context.text(isOk ? 'ok\n' : 'not ok\n', isOk ? 200 : 503)
  })
  app.get('/metrics', async (context) => {
    const {headers} = context.env.incoming
    if (!isBearer(headers.authorization, metricsToken)) readSession(sessions, headers)
    return context.body(await renderMetrics(), 200, {
      'Content-Type': 'text/plain; version=0.0.4; charset=utf-8',
      'Cache-Control': 'no-store',
    })
  })
}

function isBearer(authorization: string | undefined, token: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(authorization ?? ''), digest(`Bearer ${token}`))
}

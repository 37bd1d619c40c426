/** The current route, read from the URL: `/`, or `/c/<node>/<namespace>/<id>[/<uid>][?at=SEQUENCE]`. */
import {signal} from '@preact/signals'
import {parseRoute, type Route, toPath} from './route-path.ts'

export const route = signal<Route>(parseRoute(location.pathname, location.search))

addEventListener('popstate', () => {
  route.value = parseRoute(location.pathname, location.search)
})

export function go(next: Route): void {
  history.pushState(null, '', toPath(next))
  route.value = next
  scrollTo(0, 0)
}

/** The same page at another moment, without a new entry in the browser's history. */
export function replaceRoute(next: Route): void {
  history.replaceState(null, '', toPath(next))
  route.value = next
}

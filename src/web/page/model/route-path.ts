/** Converts routes to and from URL paths. Pure. */
import {type ContainerAddress, isId} from '../../../../machines/ledger/ids.ts'

export type Route =
  | {readonly page: 'overview' | 'unknown'}
  | {
      readonly page: 'container'
      readonly address: ContainerAddress
      /** By default the latest container with that address. */
      readonly uid?: string
      /** The sequence of the event after which the container is shown; absent for the present. */
      readonly at?: number
    }

export function parseRoute(pathname: string, search: string): Route {
  const [first, node, namespace, id, uid, ...rest] = pathname.split('/').slice(1)
  if (first === '' && node === undefined) return {page: 'overview'}
  if (first !== 'c' || !isId(node) || !isId(namespace) || !isId(id) || rest.length > 0) return {page: 'unknown'}
  const at = new URLSearchParams(search).get('at') ?? ''
  return {
    page: 'container',
    address: {node, namespace, id},
    ...(uid && {uid: decodeURIComponent(uid)}),
    ...(/^\d{1,9}$/.test(at) && {at: Number(at)}),
  }
}

export function toPath(route: Route): string {
  if (route.page !== 'container') return '/'
  const {address, uid, at} = route
  const path = `/c/${address.node}/${address.namespace}/${address.id}`
  return `${path}${uid === undefined ? '' : `/${encodeURIComponent(uid)}`}${at === undefined ? '' : `?at=${at}`}`
}

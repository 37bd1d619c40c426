import type {Route} from '../model/route-path.ts'
export function ContainerPage({route}: {readonly route: Extract<Route, {readonly page: 'container'}>}) {
  return <main>{route.address.id}</main>
}

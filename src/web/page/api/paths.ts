/** Paths of the HTTP API. */
import type {ContainerAddress} from '../../../../machines/ledger/ids.ts'

export function containerPath({node, namespace, id}: ContainerAddress, rest = ''): string {
  return `/api/containers/${node}/${namespace}/${id}${rest}`
}

/** The table of containers that `ps` shows. */
import type {ContainerView} from '../../machines/views/view.ts'
import type {TallyClient} from '../client/client.ts'
import {formatAge, formatCommand, formatStatus, formatTable} from './format.ts'

export interface Listed {
  readonly all: boolean
  /** Undefined: all namespaces. */
  readonly namespace: string | undefined
}

export async function listNewestFirst(client: TallyClient, {all, namespace}: Listed): Promise<readonly ContainerView[]> {
  const views = await client.list({all, ...(namespace !== undefined && {namespace})})
  return views.toSorted((a, b) => b.requestedAt.localeCompare(a.requestedAt))
}

export function toContainerTable(views: readonly ContainerView[], withNamespace: boolean, now: number): string {
  const head = [...(withNamespace ? ['NAMESPACE'] : []), 'CONTAINER', 'COMMAND', 'CREATED', 'STATUS', 'PID']
  const rows = views.map((view) => [
    ...(withNamespace ? [view.namespace] : []),
    view.id,
    formatCommand(view.args),
    formatAge(view.requestedAt, now),
    formatStatus(view, now),
    String(view.pid ?? '-'),
  ])
  return formatTable(head, rows)
}

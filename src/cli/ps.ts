import type {Command} from 'commander'
import type {ContainerView} from '../../machines/view.ts'
import {formatAge, formatCommand, formatStatus, formatTable} from './format.ts'
import {printJson} from './print.ts'
import {addVerb, withClient} from './verb.ts'

interface PsFlags {
  readonly all?: boolean
  readonly allNamespaces?: boolean
  readonly quiet?: boolean
}

export function addPs(program: Command): void {
  addVerb(program, 'ps', 'list containers')
    .option('-a, --all', 'those that have stopped as well')
    .option('-A, --all-namespaces', 'of all namespaces')
    .option('-q, --quiet', 'ids only')
    .action(async ({all = false, allNamespaces = false, quiet = false}: PsFlags, command: Command) => {
      await withClient(command, async (client, {json, namespace}) => {
        const views = (await client.list({all, ...(!allNamespaces && {namespace})})).toSorted((a, b) =>
          b.requestedAt.localeCompare(a.requestedAt),
        )
        if (json) printJson(views)
        else if (quiet) for (const {id} of views) console.log(id)
        else console.log(toTable(views, allNamespaces, Date.now()))
      })
    })
}

function toTable(views: readonly ContainerView[], withNamespace: boolean, now: number): string {
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

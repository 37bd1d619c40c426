import type {Command} from 'commander'
import {TallyError} from '../kernel/errors.ts'
import {printJson} from './print.ts'
import {listNewestFirst, toContainerTable} from './ps-table.ts'
import {watchContainers} from './ps-watch.ts'
import {addVerb, withClient} from './verb.ts'

interface PsFlags {
  readonly all?: boolean
  readonly allNamespaces?: boolean
  readonly quiet?: boolean
  readonly watch?: boolean
}

export function addPs(program: Command): void {
  addVerb(program, 'ps', 'list containers')
    .option('-a, --all', 'show all containers, also stopped ones')
    .option('-A, --all-namespaces', 'show containers of all namespaces')
    .option('-q, --quiet', 'only print ids')
    .option('-w, --watch', 'draw the list in the terminal, again after every change; q quits')
    .action(async ({all = false, allNamespaces = false, quiet = false, watch = false}: PsFlags, command: Command) => {
      await withClient(command, async (client, options) => {
        const {json, namespace} = options
        if (watch) {
          if (json || quiet)
            throw new TallyError(
              'INVALID_ARGUMENT',
              'expected --watch without --json and --quiet; programs can follow `tally events --json`',
            )
          return await watchContainers({client, options, all, allNamespaces})
        }
        const views = await listNewestFirst(client, {all, namespace: allNamespaces ? undefined : namespace})
        if (json) printJson(views)
        else if (quiet) for (const {id} of views) console.log(id)
        else console.log(toContainerTable(views, allNamespaces, Date.now()))
      })
    })
}

import type {Command} from 'commander'
import {toExitStatus} from './exit-codes.ts'
import {printNote} from './print.ts'
import {addVerb, forEachId} from './verb.ts'

export function addWait(program: Command): void {
  addVerb(program, 'wait', 'wait until containers have stopped, and print their exit statuses (128 + n for signal n)')
    .argument('<id...>')
    .action(async (ids: readonly string[], _flags: unknown, command: Command) => {
      await forEachId(
        command,
        ids,
        (client, id, {namespace}) => client.container(id, namespace).wait(),
        ({id, exit}) => {
          if (exit?.type === 'lost') printNote(`nobody can know how ${id} ended: ${exit.reason}`)
          return exit && exit.type !== 'lost' ? String(toExitStatus(exit)) : 'lost'
        },
      )
    })
}

import type {Command} from 'commander'
import {addVerb, forEachId} from './verb.ts'

export function addStart(program: Command): void {
  addVerb(program, 'start', 'start created containers')
    .argument('<id...>')
    .action(async (ids: readonly string[], _flags: unknown, command: Command) => {
      await forEachId(
        command,
        ids,
        (client, id, {namespace}) => client.container(id, namespace).start(),
        ({id}) => id,
      )
    })
}

import type {Command} from 'commander'
import {addVerb, forEachId} from './verb.ts'

export function addRm(program: Command): void {
  addVerb(program, 'rm', 'delete containers that have stopped, and all that was made for them')
    .argument('<id...>')
    .option('-f, --force', 'kill those that still run')
    .action(async (ids: readonly string[], {force = false}: {readonly force?: boolean}, command: Command) => {
      await forEachId(
        command,
        ids,
        (client, id, {namespace}) => client.container(id, namespace).delete({force}),
        ({id}) => id,
      )
    })
}

import type {Command} from 'commander'
import {addVerb, forEachId} from './verb.ts'

export function addPause(program: Command): void {
  addVerb(program, 'pause', 'suspend all processes of containers')
    .argument('<id...>')
    .action(async (ids: readonly string[], _flags: unknown, command: Command) => {
      await forEachId(
        command,
        ids,
        (client, id, {namespace}) => client.container(id, namespace).pause(),
        ({id}) => id,
      )
    })
}

import type {Command} from 'commander'
import {addVerb, forEachId} from './verb.ts'

export function addResume(program: Command): void {
  addVerb(program, 'resume', 'resume the processes of paused containers')
    .argument('<id...>')
    .action(async (ids: readonly string[], _flags: unknown, command: Command) => {
      await forEachId(
        command,
        ids,
        (client, id, {namespace}) => client.container(id, namespace).resume(),
        ({id}) => id,
      )
    })
}

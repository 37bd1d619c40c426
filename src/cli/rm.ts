import type {Command} from 'commander'
import {addVerb, forEachId} from './verb.ts'

export function addRm(program: Command): void {
  addVerb(program, 'rm', 'delete containers that have stopped, and all that was made for them')
    .argument('<id...>')
    .option('--exec <exec-id>', 'a process that was added with exec, of the one container that is named')
    .option('-f, --force', 'kill those that still run')
    .action(async (ids: readonly string[], {force = false, exec}: {readonly force?: boolean; readonly exec?: string}, command: Command) => {
      await forEachId(
        command,
        ids,
        (client, id, {namespace}) => {
          const container = client.container(id, namespace)
          return exec === undefined ? container.delete({force}) : container.process(exec).delete()
        },
        ({id}) => exec ?? id,
      )
    })
}
